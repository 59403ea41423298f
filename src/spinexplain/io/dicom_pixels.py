"""Stored values of many slices become one preallocated volume of HU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.archive import Member
from spinexplain.io.dicom_header import FileHeader
from spinexplain.io.dicom_slices import SliceHeader
from spinexplain.io.dicom_stack import Stack
from spinexplain.io.dicom_stored import as_pixels_show, stored_values

_INT16 = np.iinfo(np.int16)
_AIR_HU, _DENSEST_HU = -1024, 3071  # between them lies what CT scanners store
_MAX_VOXELS = 2**31  # 4 GiB as int16; a whole body at 0.5 mm has half as many


def decode_stack(
    stack: Stack, files: Sequence[Member], headers: Mapping[int, FileHeader]
) -> np.ndarray:
    """Decode every slice of a stack into one array of HU.

    Parameters
    ----------
    stack : Stack
    files : sequence of Member
        Indexed by ``SliceHeader.source``.
    headers : mapping of int to FileHeader
        By source.

    Returns
    -------
    ndarray, shape (columns, rows, slices)
        int16 where the rescale of every slice keeps whole numbers in its range, float32
        otherwise. Each slice is contiguous in memory.

    Raises
    ------
    FileFormatError
        If pixels are missing, truncated or cannot be decoded, or two different slices lie
        at one position.
    """
    slices = as_pixels_show([s for place in stack.places for s in place], files, headers)
    array = _empty(stack, np.int16 if all(map(_keeps_whole, slices)) else np.float32)
    targets = {(s.source, s.frame): k for k, place in enumerate(stack.places) for s in place}
    filled: set[int] = set()
    for item, stored in stored_values(slices, files, headers):
        k = targets[item.source, item.frame]
        hu = _rescaled(item, stored, array.dtype)
        hu = _without_padding(item, stored, hu)
        if array.dtype == np.int16 and hu.dtype != np.int16:
            array = array.astype(np.float32)  # rare: values that only the pixels reveal
            hu = hu.astype(np.float32)
        if k in filled and not np.array_equal(array[:, :, k].T, hu):
            _refuse_duplicate(item, headers)
        array[:, :, k] = hu.T
        filled.add(k)
    return array


def _empty(stack: Stack, dtype: type) -> np.ndarray:
    first = stack.places[0][0]
    shape = (len(stack.places), first.rows, first.columns)
    if int(np.prod(shape, dtype=np.int64)) > _MAX_VOXELS:
        raise FileFormatError(
            f"the series declares {shape[0]} slices of {shape[1]} x {shape[2]} pixels; expected "
            f"at most {_MAX_VOXELS} voxels. Check the headers, or crop the scan."
        )
    return np.zeros(shape, dtype).transpose(2, 1, 0)


def _keeps_whole(item: SliceHeader) -> bool:
    """Whether the rescale maps whole numbers to whole numbers that mostly fit int16.

    Real CT uses 12 to 16 bits with an intercept near -1024; where a 16-bit slice does use
    values that leave int16, decoding finds out and changes to float32.
    """
    return item.slope.is_integer() and item.intercept.is_integer()


def _rescaled(item: SliceHeader, stored: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype != np.int16:
        return (stored * np.float64(item.slope) + item.intercept).astype(np.float32)
    hu = stored.astype(np.int64) * int(item.slope) + int(item.intercept)
    if hu.min() < _INT16.min or hu.max() > _INT16.max:
        return hu.astype(np.float32)
    return hu.astype(np.int16)


def _without_padding(item: SliceHeader, stored: np.ndarray, hu: np.ndarray) -> np.ndarray:
    """Make air of pixels that hold no data.

    Where the padding value could also be tissue, only what lies outside the round field of
    view is padding.
    """
    if item.padding is None:
        return hu
    low, high = item.padding
    bits = stored.astype(np.int64) & 0xFFFF
    empty = (bits >= low) & (bits <= high)
    if not empty.any():
        return hu
    tissue = (hu >= _AIR_HU) & (hu <= _DENSEST_HU)
    hu = np.where(empty & (~tissue | _outside_circle(*hu.shape)), hu.dtype.type(_AIR_HU), hu)
    return _narrowed(item, hu)


def _outside_circle(rows: int, columns: int) -> np.ndarray:
    y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    return x * x + y * y > 1.0


def _narrowed(item: SliceHeader, hu: np.ndarray) -> np.ndarray:
    """Store whole numbers as int16 again, once what did not fit is gone."""
    if hu.dtype == np.int16 or not _keeps_whole(item):
        return hu
    fits = hu.min() >= _INT16.min and hu.max() <= _INT16.max
    return hu.astype(np.int16) if fits else hu


def _refuse_duplicate(item: SliceHeader, headers: Mapping[int, FileHeader]) -> None:
    where = ", ".join(f"{value:.2f}" for value in item.position_mm)
    raise FileFormatError(
        f"{headers[item.source].name}: another slice with different values lies at the same "
        f"position ({where} mm, LPS); expected one slice per position. The series may hold "
        "several phases: export one of them alone."
    )
