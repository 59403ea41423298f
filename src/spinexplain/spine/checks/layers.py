"""Whether the outermost layer of labels is the densest: bone has its cortex there, others do not.

Marrow of osteoporotic people is as dark as muscle or darker, so that what is inside a label says
little. Their cortex is still denser than the marrow under it and the tissue around it. Both are
compared in this very scan; no value in HU is expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.extents import Box
from spinexplain.spine.checks.contrast import compared
from spinexplain.types import LabelMap, Volume

_SURFACE_MM, _CORE_MM, _RING_MM = 1.5, 3.0, (2.0, 6.0)
_COARSE_MM = 2.5  # planes thicker than this are looked at one by one
_APART_MM = 1e6
_MOST = 3000


@dataclass(frozen=True)
class Layers:
    """Voxels of one label, by depth.

    Parameters
    ----------
    surface, core, around : ndarray, shape (n, 3)
        Indices of its outermost voxels, of those over 3 mm deep, and of those 2 to 6 mm outside
        of all labels.
    """

    surface: np.ndarray
    core: np.ndarray
    around: np.ndarray


def label_layers(
    labels: LabelMap, boxes: Mapping[VertebraLevel, Box]
) -> dict[VertebraLevel, Layers]:
    """Sort the voxels in and around every label by their depth.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels on the scan's grid.
    boxes : mapping of VertebraLevel to box
        Bounding box of each label.

    Returns
    -------
    dict of VertebraLevel to Layers
        Depth is taken within thin planes alone where the planes are thick.
    """
    return {level: _layers(labels, level, box) for level, box in boxes.items()}


def _layers(labels: LabelMap, level: VertebraLevel, box: Box) -> Layers:
    spacing = np.array(labels.spacing_mm)
    fine = spacing <= _COARSE_MM
    if np.count_nonzero(fine) < 2:
        fine[:] = True
    sampling = np.where(fine, spacing, _APART_MM)
    voxel = float(spacing[fine].max())
    reach = np.where(fine, np.ceil(_RING_MM[1] / spacing) + 1, 0).astype(int)
    starts = [max(side.start - int(r), 0) for side, r in zip(box, reach, strict=True)]
    crop = tuple(
        slice(start, side.stop + int(r)) for start, side, r in zip(starts, box, reach, strict=True)
    )
    mask = labels.array[crop]
    inside = mask == level.verse_label
    depth = ndimage.distance_transform_edt(inside, sampling=sampling)
    beyond = ndimage.distance_transform_edt(mask == 0, sampling=sampling)
    low, high = max(_RING_MM[0], 1.01 * voxel), max(_RING_MM[1], 2.1 * voxel)
    return Layers(
        surface=_indices(inside & (depth <= max(_SURFACE_MM, 1.01 * voxel)), starts),
        core=_indices(depth > max(_CORE_MM, 2 * voxel), starts),
        around=_indices((beyond > low) & (beyond <= high), starts),
    )


def _indices(chosen: np.ndarray, starts: Sequence[int]) -> np.ndarray:
    found = np.argwhere(chosen)
    return np.asarray(found[:: max(1, len(found) // _MOST)] + starts)


def layer_shares(
    volume: Volume, layers: Mapping[VertebraLevel, Layers], moved: Sequence[int] = (0, 0, 0)
) -> dict[VertebraLevel, float]:
    """Say how often the surface of each label is denser than what is under and around it.

    Parameters
    ----------
    volume : Volume
    layers : mapping of VertebraLevel to Layers
    moved : sequence of 3 ints
        By how many voxels to move all labels first.

    Returns
    -------
    dict of VertebraLevel to float
        0.5 where the three are alike; for labels that lie on bone 0.62 to 1. Without levels
        too small to say, or moved out of the scan.
    """
    found = {level: _share(volume, one, moved) for level, one in layers.items()}
    return {level: share for level, share in found.items() if share is not None}


def _share(volume: Volume, layers: Layers, moved: Sequence[int]) -> float | None:
    surface = _values(volume, layers.surface, moved)
    pairs = [compared(surface, _values(volume, of, moved)) for of in (layers.core, layers.around)]
    known = [pair.share for pair in pairs if pair is not None]
    return float(np.mean(known)) if len(known) == len(pairs) else None


def _values(volume: Volume, ijk: np.ndarray, moved: Sequence[int]) -> np.ndarray:
    at = ijk + np.asarray(moved)
    at = at[np.all((at >= 0) & (at < volume.array.shape), axis=1)]
    return np.asarray(volume.array[tuple(at.T)], dtype=np.float32)
