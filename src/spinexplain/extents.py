"""Where the labels of a mask lie, found in one pass over it.

Masks are nearly all background. The first look at the voxels only asks which part of the
grid is labeled at all; boxes, counts and centers are then worked out inside that part.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spinexplain.errors import LabelError

Box = tuple[slice, slice, slice]

_MOST_LABELS = 4096  # a mask of all organs has about a hundred
_SLAB = 16  # planes
_FEWEST_MAPPED = 1 << 24  # bytes; below, the pages spared are not worth it


@dataclass(frozen=True, eq=False)
class LabelExtent:
    """What is known of one label of a mask.

    Parameters
    ----------
    box : tuple of 3 slices
        The smallest part of the grid that holds all its voxels.
    count : int
        Number of voxels.
    center_ijk : ndarray, shape (3,)
        Center of mass, in voxel indices.
    """

    box: Box
    count: int
    center_ijk: np.ndarray


def label_extents(array: np.ndarray) -> dict[int, LabelExtent]:
    """Find the box, the number of voxels and the center of mass of every label.

    Parameters
    ----------
    array : ndarray of integers, shape (X, Y, Z)
        0 is background; any memory order, none is slower than another.

    Returns
    -------
    dict of int to LabelExtent
        By label, in rising order; empty where every voxel is 0.

    Raises
    ------
    LabelError
        If there are over 4096 different labels: this is an image, not a mask.

    Examples
    --------
    >>> mask = np.zeros((4, 4, 4), np.uint8)
    >>> mask[1:3, 2, 0:4] = 20
    >>> found = label_extents(mask)[20]
    >>> found.box, found.count, found.center_ijk.tolist()
    ((slice(1, 3, None), slice(2, 3, None), slice(0, 4, None)), 8, [1.5, 2.0, 1.5])
    """
    # The slowest axis first: each plane then lies in one piece of memory.
    order = np.argsort(np.abs(array.strides), kind="stable")[::-1]
    stored = array.transpose(order)
    box = _labeled_box(stored)
    if box is None:
        return {}
    labels, counts = _counts_along_axes(stored[box])
    back = np.argsort(order)
    starts = [box[axis].start for axis in back]
    return {
        label: _extent([counts[axis][i] for axis in back], starts)
        for i, label in enumerate(labels.tolist())
    }


def labeled_box(extents: Mapping[int, LabelExtent]) -> Box:
    """Return the smallest box that holds every label; empty where there is none."""
    boxes = [extent.box for extent in extents.values()] or [(slice(0, 0),) * 3]
    x, y, z = (
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )
    return x, y, z


def labeled_slabs(extents: Mapping[int, LabelExtent]) -> Iterator[Box]:
    """Cut the labeled part of a mask into thin boxes, so that no copy of it is made whole."""
    x, y, z = labeled_box(extents)
    for k in range(z.start, z.stop, _SLAB):
        yield x, y, slice(k, min(k + _SLAB, z.stop))


def background(shape: tuple[int, ...], dtype: type | np.dtype = np.uint8) -> np.ndarray:
    """Make an empty mask of which only the written pages ever take memory.

    Parameters
    ----------
    shape : tuple of ints
    dtype : dtype

    Returns
    -------
    ndarray, shape ``shape``, in Fortran order as NIfTI files are
        All 0.

    Raises
    ------
    MemoryError

    Notes
    -----
    NumPy asks for pages of 2 MiB for large arrays, of which a spine touches nearly all;
    pages of the usual 4 KiB leave a mask of a whole body at a fraction of its size.
    """
    count = int(np.prod(shape, dtype=object))
    size = count * np.dtype(dtype).itemsize
    if size < _FEWEST_MAPPED or not hasattr(mmap, "MAP_ANONYMOUS"):
        return np.zeros(shape, dtype, order="F")
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as error:
        raise MemoryError(f"{size} bytes for a mask") from error
    return np.frombuffer(pages, dtype).reshape(shape, order="F")


def _labeled_box(stored: np.ndarray) -> Box | None:
    """Return the smallest box that holds every voxel that is not 0, or None."""
    planes = np.array([bool(plane.any()) for plane in stored])
    if not planes.any():
        return None
    first = _span(planes)
    merged = np.zeros(stored.shape[1:], stored.dtype)
    for plane in stored[first]:
        np.bitwise_or(merged, plane, out=merged)
    return first, _span(merged.any(axis=1)), _span(merged.any(axis=0))


def _span(present: ArrayLike) -> slice:
    """Return the slice from the first to the last place that is true."""
    places = np.flatnonzero(present)
    return slice(int(places[0]), int(places[-1]) + 1)


def _counts_along_axes(crop: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the labels (n,) and, for each axis, the voxels of each at each index (n, size)."""
    labels = _labels_of(crop)
    counts = [np.zeros((len(labels), size), np.int64) for size in crop.shape]
    for k, plane in enumerate(crop):
        row, column = np.nonzero(plane)
        code = np.searchsorted(labels, plane[row, column])
        counts[0][:, k] = np.bincount(code, minlength=len(labels))
        for along, index in ((counts[1], row), (counts[2], column)):
            along += np.bincount(code * along.shape[1] + index, minlength=along.size).reshape(
                along.shape
            )
    return labels, counts


def _labels_of(crop: np.ndarray) -> np.ndarray:
    """Return the different values that are not 0, in rising order."""
    found = np.zeros(0, crop.dtype)
    for plane in crop:
        found = np.union1d(found, plane)
        if len(found) > _MOST_LABELS:
            raise LabelError(
                f"the mask holds over {_MOST_LABELS} different values; expected labels. "
                "Is it the CT instead of its mask?"
            )
    return found[found != 0]


def _extent(counts: list[np.ndarray], starts: list[int]) -> LabelExtent:
    """Turn the voxels at each index of the crop, axis by axis, into box, count and center."""
    spans = [_span(along > 0) for along in counts]
    box = [
        slice(start + span.start, start + span.stop)
        for start, span in zip(starts, spans, strict=True)
    ]
    count = int(counts[0].sum())
    center = [
        float((start + np.arange(len(along))) @ along) / count
        for start, along in zip(starts, counts, strict=True)
    ]
    return LabelExtent((box[0], box[1], box[2]), count, np.array(center))
