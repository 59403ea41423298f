"""A mask on the grid of its scan: copied where the grids share a lattice, else resampled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from spinexplain.errors import GeometryError
from spinexplain.extents import Box, background, labeled_box
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap, Volume

_SAME_GRID = 0.05  # of a voxel, at the grid's corners
_EDGE = 0.5 + _SAME_GRID  # from the center of an outer voxel; rounding loses no plane


def match_grid(labels: LabelMap, volume: Volume | LabelMap) -> LabelMap:
    """Bring a mask onto the grid of a scan.

    Parameters
    ----------
    labels : LabelMap
    volume : Volume or LabelMap
        Gives the grid.

    Returns
    -------
    LabelMap
        ``labels`` itself where the grids agree within 0.05 voxels, else resampled to the
        nearest neighbor, with 0 outside. A voxel counts to its border: grids that differ by
        the rounding of an affine lose no outer plane.

    Raises
    ------
    GeometryError
        If the frames do not overlap, or no labeled voxel lies in the scan.
    """
    if same_grid(labels, volume):
        return labels
    if not _overlap(labels, volume):
        raise GeometryError(_apart(labels, volume))
    back = np.linalg.inv(labels.affine) @ volume.affine
    axes = _axis_of_each(back, volume.array.shape)
    array = background(volume.array.shape, labels.array.dtype)
    box = _labeled_part(labels, back, volume.array.shape)
    if axes is None:
        array[box] = ndimage.affine_transform(
            labels.array,
            back[:3, :3],
            apply_affine(back, np.array([float(side.start) for side in box])),
            output_shape=tuple(side.stop - side.start for side in box),
            order=0,
            mode="grid-constant",
        )
    else:
        _pick(labels.array, back, axes, array, box)
    if labels.extents and not array[box].any():
        raise GeometryError(_apart(labels, volume))
    return LabelMap(array, volume.affine)


def same_grid(labels: LabelMap, volume: Volume | LabelMap) -> bool:
    """Whether two grids have the same matrix and agree within 0.05 voxels."""
    return labels.array.shape == volume.array.shape and shift_voxels(labels, volume) < _SAME_GRID


def shift_voxels(labels: LabelMap, volume: Volume | LabelMap) -> float:
    """Return how far two grids of one matrix lie apart at their corners, voxels.

    Examples
    --------
    >>> mask = LabelMap(np.zeros((3, 3, 3), int), np.eye(4))
    >>> moved = LabelMap(mask.array, np.diag([1.0, 1.0, 2.0, 1.0]))
    >>> shift_voxels(mask, moved)
    1.0
    """
    corners = _corners_ijk(volume.array.shape)
    there = apply_affine(np.linalg.inv(volume.affine), apply_affine(labels.affine, corners))
    return float(np.abs(there - corners).max())


def same_extent(labels: LabelMap, volume: Volume | LabelMap, voxels: float = 1.0) -> bool:
    """Whether two grids fill the same box of the patient, in whatever order of axes."""
    off_mm = np.abs(extent_mm(labels) - extent_mm(volume)).max()
    return bool(off_mm <= voxels * max(*labels.spacing_mm, *volume.spacing_mm))


def _axis_of_each(back: np.ndarray, shape: tuple[int, ...]) -> list[int] | None:
    """Return which axis of the mask follows each axis of the scan; None where they are askew."""
    steps = np.abs(back[:3, :3])
    axes = [int(axis) for axis in np.argmax(steps, axis=0)]
    off = steps * (np.array(shape) - 1)
    off[axes, range(3)] = 0.0
    straight = sorted(axes) == [0, 1, 2] and float(off.sum(axis=1).max()) < _SAME_GRID
    return axes if straight else None


def _pick(array: np.ndarray, back: np.ndarray, axes: list[int], out: np.ndarray, box: Box) -> None:
    """Pick whole planes of a mask whose axes run along the scan's, in a part of the scan."""
    picked: list[np.ndarray] = [np.empty(0, int)] * 3
    kept: list[slice] = []
    for axis, own in enumerate(axes):
        there = np.arange(box[axis].start, box[axis].stop)
        at = back[own, axis] * there + back[own, 3]
        inside = (at >= -_EDGE) & (at <= array.shape[own] - 1 + _EDGE)
        there, at = there[inside], at[inside]
        kept.append(slice(there[0], there[-1] + 1) if there.size else slice(0, 0))
        picked[own] = np.clip(np.rint(at), 0, array.shape[own] - 1).astype(int)
    out[tuple(kept)] = array[np.ix_(*picked)].transpose(axes)


def _labeled_part(labels: LabelMap, back: np.ndarray, shape: tuple[int, ...]) -> Box:
    """Return the part of another grid that can hold labels; ``back`` leads from its index."""
    labeled = labeled_box(labels.extents)
    low, high = [side.start - 1 for side in labeled], [side.stop for side in labeled]
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    there = apply_affine(np.linalg.inv(back), corners)
    start = np.clip(np.floor(there.min(axis=0)), 0, shape).astype(int).tolist()
    stop = np.clip(np.ceil(there.max(axis=0)) + 1, start, shape).astype(int).tolist()
    return slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2])


def _corners_ijk(shape: Iterable[int]) -> np.ndarray:
    return np.array(np.meshgrid(*[(0.0, n - 1.0) for n in shape])).reshape(3, -1).T


def extent_mm(grid: Volume | LabelMap) -> np.ndarray:
    """Return the lowest and the highest RAS+ mm of a grid's corners, shape (2, 3)."""
    corners = apply_affine(grid.affine, _corners_ijk(grid.array.shape))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _overlap(one: LabelMap, other: Volume | LabelMap) -> bool:
    (low, high), (other_low, other_high) = extent_mm(one), extent_mm(other)
    return bool(np.all(low <= other_high) and np.all(other_low <= high))


def _apart(labels: LabelMap, volume: Volume | LabelMap) -> str:
    mask, scan = (extent_mm(grid).round(1).tolist() for grid in (labels, volume))
    return (
        f"mask and scan do not overlap: the mask spans {mask[0]} to {mask[1]} mm, the scan "
        f"{scan[0]} to {scan[1]} mm (RAS+); expected the same patient frame. Check that the "
        "mask was made from this scan."
    )
