"""The localizer's three networks as plain functions on arrays, and what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.errors import ModelError
from spinexplain.io.files import sha256_file
from spinexplain.io.json_file import write_json

if TYPE_CHECKING:
    from torch import nn

Network = Callable[[np.ndarray], np.ndarray]
"""Maps densities (N, 1, *S) to answers (N, C, ...), both float32."""

SCHEMA = "spinexplain/localizer/1"
MANIFEST = "localizer.json"
NAMES = ("curve", "levels", "body")
"""In the order they are asked: where the spine runs, its levels, one body."""


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


def shipped_networks(device: str = "cpu") -> LocalizerNetworks:
    """Load the localizer that comes with the package.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ModelError
        If a file is missing or was changed.
    """
    return load_networks(shipped_folder(), device)


def load_networks(folder: Path, device: str = "cpu") -> LocalizerNetworks:
    """Load a localizer from its folder; every file is checked against its hash.

    Parameters
    ----------
    folder : Path
        As :func:`save_networks` leaves it.
    device : str

    Raises
    ------
    ModelError
        If the folder holds no localizer, or a file is missing or was changed.
    """
    version, files = _manifest(folder)
    for name, expected in files.items():
        path = folder / f"{name}.safetensors"
        found = sha256_file(path) if path.is_file() else "none"
        if found != expected:
            raise ModelError(
                f"{path} has SHA-256 {found[:12]}; expected {expected[:12]}, as {MANIFEST} says. "
                "Install the package again."
            )
    loaded = {name: _loaded(folder / f"{name}.safetensors", name, device) for name in NAMES}
    return LocalizerNetworks(**loaded, info=LocalizerInfo(version, _digest(files)))


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
    write_json(folder / MANIFEST, {"schema": SCHEMA, "version": version, "sha256": files})


def _manifest(folder: Path) -> tuple[str, dict[str, str]]:
    try:
        content: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
        version, files = str(content["version"]), dict(content["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        content, version, files = {}, "", {}
    if content.get("schema") != SCHEMA or set(files) != set(NAMES):
        raise ModelError(
            f"{folder} holds no whole localizer (networks: {', '.join(files) or 'none'}); expected "
            f"{MANIFEST} with {', '.join(NAMES)}. Install the package again, or give a mask or "
            "centroids."
        )
    return version, files


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _loaded(path: Path, name: str, device: str) -> Network:
    """Build a network and fill in its weights; only here torch is imported."""
    import torch
    from safetensors.torch import load_file

    network = _built(name)
    network.load_state_dict({key: value.float() for key, value in load_file(str(path)).items()})
    network.eval().to(device)

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
