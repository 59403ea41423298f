"""The localizer's networks exported, so that finding a spine does without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spinexplain.localizer.body_frame import BODY_SHAPE
from spinexplain.localizer.manifest import NAMES, read_manifest, write_manifest
from spinexplain.localizer.networks import filled, load_networks
from spinexplain.models.localizing import CURVE_STRIDE, LEVELS_STRIDE, SECTION_SHAPE


@dataclass(frozen=True)
class _Input:
    """The shape of an input, and which of its axes may have another size."""

    shape: tuple[int, ...]
    changing: tuple[int, ...]


_INPUTS = {
    "curve": _Input((1, 1, *(4 * CURVE_STRIDE,) * 3), (2, 3, 4)),
    "levels": _Input((1, 1, 2 * LEVELS_STRIDE, *SECTION_SHAPE), (2,)),
    "body": _Input((1, 1, *BODY_SHAPE), (0,)),
}


def export_networks(folder: Path) -> None:
    """Write the graphs of a localizer beside its weights, with their hashes.

    Parameters
    ----------
    folder : Path
        As :func:`~spinexplain.localizer.networks.save_networks` leaves it.

    Raises
    ------
    ModelError
        If the folder holds no localizer, or a graph answers otherwise than torch.
    ModuleNotFoundError
        If openvino is not installed.
    """
    from spinexplain.models.runtime.graph_export import graph_of

    load_networks(folder, runtime="torch")  # refuses what is missing or was changed
    manifest = read_manifest(folder)
    for name in NAMES:
        weights = (folder / f"{name}.safetensors").read_bytes()
        given = _INPUTS[name]
        graph = graph_of(filled(name, weights), given.shape, given.changing, weights)
        (folder / f"{name}.xml").write_bytes(graph.xml)
        (folder / f"{name}.bin").write_bytes(graph.constants)
    write_manifest(folder, manifest.version, manifest.weights)
