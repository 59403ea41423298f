"""The localizer's three networks as plain functions on arrays, and what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.localizer.manifest import (
    GRAPH_FILES,
    NAMES,
    LocalizerManifest,
    read_checked,
    read_manifest,
    write_manifest,
)
from spinexplain.models.runtime.graph import compiled_graph

if TYPE_CHECKING:
    from torch import nn

Network = Callable[[np.ndarray], np.ndarray]
"""Maps densities (N, 1, *S) to answers (N, C, ...), both float32."""

RUNTIMES = ("auto", "openvino", "torch")


@dataclass(frozen=True)
class LocalizerInfo:
    """Which localizer it was.

    Parameters
    ----------
    version : str
    sha256 : str
        Of the names and hashes of its weights.
    """

    version: str
    sha256: str


@dataclass(frozen=True, eq=False)
class LocalizerNetworks:
    """Three networks and what they are.

    Parameters
    ----------
    curve : callable
        From a whole scan at 4 mm to regions; see :mod:`spinexplain.models.curve_network`.
    levels : callable
        From the straightened spine to centers and levels; see
        :mod:`spinexplain.models.levels_network`.
    body : callable
        From an oriented crop to the body in its middle; see
        :mod:`spinexplain.models.body_network`.
    info : LocalizerInfo
    """

    curve: Network
    levels: Network
    body: Network
    info: LocalizerInfo


def shipped_folder() -> Path:
    """Return where the localizer that comes with the package is."""
    return Path(str(resources.files("spinexplain.localizer") / "shipped"))


def shipped_networks(device: str = "cpu", runtime: str = "auto") -> LocalizerNetworks:
    """Load the localizer that comes with the package.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    runtime : str
        See :func:`load_networks`.

    Raises
    ------
    ModelError
        If a file is missing or was changed.
    """
    return load_networks(shipped_folder(), device, runtime)


@cache
def shipped_body(device: str = "cpu", runtime: str = "auto") -> Network:
    """Load the network that paints bodies alone, of the localizer that comes with the package.

    A process loads it once; it may serve several threads.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    runtime : str
        See :func:`load_networks`.

    Raises
    ------
    ModelError
        If a file is missing or was changed.
    """
    folder = shipped_folder()
    return _chosen(folder, read_manifest(folder), ("body",), device, runtime)["body"]


def load_networks(folder: Path, device: str = "cpu", runtime: str = "auto") -> LocalizerNetworks:
    """Load a localizer from its folder; every file is checked against its hash.

    Parameters
    ----------
    folder : Path
        As :func:`save_networks` leaves it, with or without the graphs of
        :func:`~spinexplain.localizer.export.export_networks`.
    device : str
        ``"cpu"`` or ``"cuda"``; OpenVINO runs on the CPU only.
    runtime : str
        ``"openvino"``, ``"torch"``, or ``"auto"``: OpenVINO where there are graphs and it runs
        them, torch elsewhere. Both answer the same but for rounding.

    Raises
    ------
    ModelError
        If the folder holds no localizer, a file is missing or was changed, or there is no such
        runtime or nothing for it.
    """
    manifest = read_manifest(folder)
    info = LocalizerInfo(manifest.version, _digest(manifest.weights))
    return LocalizerNetworks(**_chosen(folder, manifest, NAMES, device, runtime), info=info)


def _chosen(
    folder: Path, manifest: LocalizerManifest, names: Sequence[str], device: str, runtime: str
) -> dict[str, Network]:
    """Load some of the networks by the runtime that is asked for, or that works here."""
    if runtime not in RUNTIMES:
        raise ModelError(f"runtime is {runtime!r}; expected one of {', '.join(RUNTIMES)}.")
    weights = {
        name: read_checked(folder / f"{name}.safetensors", manifest.weights[name]) for name in names
    }
    if runtime != "torch" and (runtime == "openvino" or device == "cpu"):
        compiled = _compiled(folder, manifest, weights)
        if not isinstance(compiled, str):
            return compiled
        if runtime == "openvino":
            raise ModelError(f"{folder}: {compiled}. Use another runtime.")
    return {name: _loaded(weights[name], name, device) for name in names}


def save_networks(folder: Path, version: str, networks: dict[str, nn.Module]) -> None:
    """Store networks as float16 with their hashes, beside those already there.

    Parameters
    ----------
    folder : Path
        Existing; networks in it that are not given are kept.
    version : str
    networks : dict of str to nn.Module
        By a name of ``NAMES``.
    """
    from safetensors.torch import save_file

    for name, network in networks.items():
        halves = {
            key: value.detach().cpu().half().contiguous() if value.is_floating_point() else value
            for key, value in network.state_dict().items()
        }
        save_file(halves, str(folder / f"{name}.safetensors"))
    stored = [name for name in NAMES if (folder / f"{name}.safetensors").is_file()]
    files = {name: sha256_file(folder / f"{name}.safetensors") for name in stored}
    for name in networks:  # graphs point into the file that was replaced
        for ending in GRAPH_FILES:
            (folder / f"{name}{ending}").unlink(missing_ok=True)
    write_manifest(folder, version, files)


def _compiled(
    folder: Path, manifest: LocalizerManifest, weights: dict[str, bytes]
) -> dict[str, Network] | str:
    """Compile a graph for each of the weights, or say why they cannot be used here."""
    wanted = [f"{name}{ending}" for name in weights for ending in GRAPH_FILES]
    if missing := [name for name in wanted if name not in manifest.graphs]:
        return f"the localizer has no {', '.join(missing)}"
    files = {name: read_checked(folder / name, manifest.graphs[name]) for name in wanted}
    try:
        return {
            name: compiled_graph(files[f"{name}.xml"], weights[name], files[f"{name}.bin"])
            for name in weights
        }
    except ModuleNotFoundError:
        return "openvino is not installed"
    except RuntimeError as error:
        return f"openvino cannot run the localizer: {str(error).splitlines()[0]}"


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def filled(name: str, weights: bytes) -> nn.Module:
    """Build a network in torch and fill in its weights.

    Parameters
    ----------
    name : str
        One of ``NAMES``.
    weights : bytes
        The safetensors file.
    """
    from safetensors.torch import load

    network = _built(name)
    network.load_state_dict({key: value.float() for key, value in load(weights).items()})
    return network.eval()


def stored_network(folder: Path, name: str) -> nn.Module:
    """Build one network of a localizer in torch, from weights checked against their hash.

    Parameters
    ----------
    folder : Path
    name : str
        One of ``NAMES``.
    """
    wanted = read_manifest(folder).weights[name]
    return filled(name, read_checked(folder / f"{name}.safetensors", wanted))


def _loaded(weights: bytes, name: str, device: str) -> Network:
    """Wrap a torch network as a function; only here torch is imported."""
    import torch

    network = filled(name, weights).to(device)

    def run(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(device)
            answer: np.ndarray = network(given).cpu().numpy()
        return answer

    return run


def _built(name: str) -> nn.Module:
    if name == "curve":
        from spinexplain.models.curve_network import CurveNetwork

        return CurveNetwork()
    if name == "levels":
        from spinexplain.models.levels_network import LevelsNetwork

        return LevelsNetwork()
    from spinexplain.models.body_network import BodyNetwork

    return BodyNetwork()
