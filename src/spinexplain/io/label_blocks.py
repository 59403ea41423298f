"""A mask in the making: checked and narrowed to integers block by block, as it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.extents import background
from spinexplain.io.header import NiftiHeader, not_finite, too_large

_PAGE = 4096  # voxels
_FARTHEST_FROM_WHOLE = 1e-3
_FARTHEST_SCALED = 0.2
_MOST_SCALED = 64  # different values of a mask that was scaled; a whole spine has 28
_MOST = np.iinfo(np.int32).max


class LabelBlocks:
    """Collects the voxels of a mask, whatever dtype they are stored in.

    Only what is labeled is written, so that background takes no memory.

    Parameters
    ----------
    path : path
        For messages.
    header : NiftiHeader
        Gives size and scaling.

    Raises
    ------
    FileFormatError
        If there is not enough memory.

    Examples
    --------
    >>> header = NiftiHeader((2, 2, 1), np.dtype("f4"), 352, 1.0, 0.0, np.eye(4))
    >>> blocks = LabelBlocks("mask.nii", header)
    >>> blocks.add(np.array([0.0, 20.0, 0.0, 21.0], np.float32))
    >>> blocks.whole()
    array([ 0, 20,  0, 21], dtype=uint8)
    """

    def __init__(self, path: str | Path, header: NiftiHeader) -> None:
        self._path = path
        self._header = header
        try:
            self._labels = background((header.count,))
        except MemoryError:
            raise too_large(path, header.count) from None
        self._done = 0
        self._low: np.number | float = np.inf
        self._high: np.number | float = -np.inf
        self._not_finite = 0
        self._off_whole = 0.0
        self._fractions: set[float] = set()

    def add(self, stored: np.ndarray) -> None:
        """Take the next voxels (n,) as they are stored; what is wrong with them comes later."""
        start, self._done = self._done, self._done + len(stored)
        values = self._scaled(stored)
        if values.dtype.kind == "f":
            self._not_finite += int(np.count_nonzero(~np.isfinite(values)))
            if self._not_finite:
                return
        self._low = min(self._low, values.min())
        self._high = max(self._high, values.max())
        if self._low < 0 or self._high > _MOST:
            return
        if values.dtype.kind == "f":
            values, exact = np.rint(values), values
            off = float(np.abs(exact - values).max())
            self._off_whole = max(self._off_whole, off)
            if off > _FARTHEST_FROM_WHOLE and len(self._fractions) <= _MOST_SCALED:
                self._fractions.update(np.unique(exact).tolist())
        if self._high > 255 and self._labels.dtype == np.uint8:
            narrow, self._labels = self._labels, background(self._labels.shape, np.int32)
            _write(self._labels, 0, narrow[:start])
        _write(self._labels, start, values)

    def whole(self) -> np.ndarray:
        """Return all labels (n,), uint8 where they fit, else int32.

        Raises
        ------
        FileFormatError
            If a voxel was not finite, negative, too large or no whole number.
        """
        if self._not_finite:
            raise not_finite(self._path, self._not_finite, self._header.count, of_mask=True)
        if self._low < 0 or self._high > _MOST:
            raise FileFormatError(
                f"{self._path}: values run from {self._low} to {self._high}; expected labels from "
                "0 up. Is this the CT instead of its mask?"
            )
        if self._off_whole > _FARTHEST_FROM_WHOLE and not self._one_value_each():
            raise FileFormatError(
                f"{self._path}: holds values up to {self._off_whole:.3g} away from a whole number; "
                "expected integer labels. Was the mask interpolated? Resample it with nearest "
                "neighbor."
            )
        return self._labels

    def _one_value_each(self) -> bool:
        """Whether every label has a single value: scaled by a writer, not interpolated.

        A float array saved in an integer type is scaled by a factor in the header, so that
        20 comes back as 19.96 wherever it stood.
        """
        few = len(self._fractions) <= _MOST_SCALED and self._off_whole <= _FARTHEST_SCALED
        return few and len(set(map(round, self._fractions))) == len(self._fractions)

    def _scaled(self, stored: np.ndarray) -> np.ndarray:
        """Apply the header's scaling; floats as float32, as a CT's are."""
        slope, intercept = self._header.slope, self._header.intercept
        with np.errstate(over="ignore"):  # what overflows is reported as not finite
            values = stored.astype(np.float32) if stored.dtype.kind == "f" else stored
        if slope == 1.0 and intercept == 0.0:
            return values
        if values.dtype.kind == "f":
            return values * np.float32(slope) + np.float32(intercept)
        return values * slope + intercept


def _write(labels: np.ndarray, start: int, values: np.ndarray) -> None:
    """Write the pages of ``values`` that are not all background."""
    whole = len(values) - len(values) % _PAGE
    pages = values[:whole].reshape(-1, _PAGE)
    labeled = pages.any(axis=1)
    labels[start : start + whole].reshape(-1, _PAGE)[labeled] = pages[labeled]
    labels[start + whole : start + len(values)] = values[whole:]
