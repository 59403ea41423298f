"""Size, place and shape of every label of a mask, each looked at in its own bounding box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spinexplain.extents import Box, LabelExtent
from spinexplain.types import LabelMap

_CORE_SPACING_MM = 4.0  # along axes with longer voxels a bone may be two voxels thick
_SHELL_CORE_SHARE = 0.03
_SHELL_VOXELS = 60
_TOUCHING_SHARE = 0.6
_HIGHEST = 60
_SHELL_SIDE_MM = 12.0  # a cut bone is thin along one axis, a shell along none


@dataclass(frozen=True, eq=False)
class LabelStats:
    """What is known of one label without looking at its scan.

    Parameters
    ----------
    volume_mm3 : float
    center_mm : ndarray, shape (3,)
        Center of mass, RAS+ mm.
    extent_mm : ndarray, shape (3,)
        Sides of the upright box around it: left-right, antero-posterior, cranio-caudal.
    at_border : bool
        Whether it reaches the border of the mask's grid.
    """

    volume_mm3: float
    center_mm: np.ndarray
    extent_mm: np.ndarray
    at_border: bool


def label_boxes(mask: LabelMap) -> dict[int, Box]:
    """Return the bounding box of every label above 0, in ascending order of labels.

    Examples
    --------
    >>> label_boxes(LabelMap(np.array([[[0, 3, 3]]]), np.eye(4)))
    {3: (slice(0, 1, None), slice(0, 1, None), slice(1, 3, None))}
    """
    return {label: extent.box for label, extent in mask.extents.items() if label > 0}


def label_stats(mask: LabelMap) -> dict[int, LabelStats]:
    """Measure every label above 0 of a mask.

    Parameters
    ----------
    mask : LabelMap

    Returns
    -------
    dict of int to LabelStats
        In ascending order of labels.

    Examples
    --------
    >>> one = label_stats(LabelMap(np.array([[[0, 3, 3]]]), np.diag([1.0, 1.0, 2.0, 1.0])))[3]
    >>> one.volume_mm3, one.center_mm.tolist(), one.extent_mm.tolist()
    (4.0, [0.0, 0.0, 3.0], [1.0, 1.0, 4.0])
    """
    return {label: _stats(mask, extent) for label, extent in mask.extents.items() if label > 0}


def _stats(mask: LabelMap, extent: LabelExtent) -> LabelStats:
    sides = np.array([side.stop - side.start for side in extent.box], dtype=float)
    sizes = zip(extent.box, mask.array.shape, strict=True)
    return LabelStats(
        volume_mm3=extent.count * float(abs(np.linalg.det(mask.affine[:3, :3]))),
        center_mm=mask.affine[:3] @ [*extent.center_ijk, 1.0],
        extent_mm=np.abs(mask.affine[:3, :3]) @ sides,
        at_border=any(side.start == 0 or side.stop == size for side, size in sizes),
    )


def shells(mask: LabelMap, boxes: Mapping[int, Box]) -> list[int]:
    """List the labels that are nothing but a shell, as interpolating labels leaves them.

    Parameters
    ----------
    mask : LabelMap
    boxes : mapping of int to box

    Returns
    -------
    list of int
        Labels without a core: taking one voxel off all around leaves nearly nothing, still
        they extend over more than 12 mm along every axis, and most of their voxels touch
        another label. Labels above 60, which no vertebra has, are not looked at.

    Notes
    -----
    Linear interpolation between a bone labeled 24 and the background passes through 1 to
    23: each of these becomes a skin of about one voxel around the bone.
    """
    return [
        label
        for label, box in boxes.items()
        if label <= _HIGHEST and _has_no_core(mask, label, box) and _is_between(mask, label, box)
    ]


def _has_no_core(mask: LabelMap, label: int, box: Box) -> bool:
    spacing = np.array(mask.spacing_mm)
    sides = np.array([side.stop - side.start for side in box])
    if np.any(sides * spacing < _SHELL_SIDE_MM) or np.any(sides < 3):
        return False
    inside = mask.array[box] == label
    count = int(np.count_nonzero(inside))
    if count < _SHELL_VOXELS:
        return False
    core = inside
    for axis in np.flatnonzero(spacing <= _CORE_SPACING_MM):
        core = _worn(core, int(axis))
    return bool(np.count_nonzero(core) <= _SHELL_CORE_SHARE * count)


def _is_between(mask: LabelMap, label: int, box: Box) -> bool:
    """Whether most voxels of a label touch other labels."""
    wider = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    crop = mask.array[wider]
    inside, other = crop == label, (crop != label) & (crop > 0)
    return bool(np.mean(ndimage.binary_dilation(other)[inside]) >= _TOUCHING_SHARE)


def _worn(inside: np.ndarray, axis: int) -> np.ndarray:
    """Take one voxel off at both ends of every run along an axis."""
    worn = inside.copy()
    first, last = np.moveaxis(worn, axis, 0), np.moveaxis(inside, axis, 0)
    first[1:] &= last[:-1]
    first[:-1] &= last[1:]
    first[[0, -1]] = False
    return worn
