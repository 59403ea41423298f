"""Which of the bits that a pixel takes hold its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.io.dicom_values import UnusableError, whole_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True)
class BitUse:
    """Which bits pixels use besides those that right-aligned and left-aligned values share.

    Parameters
    ----------
    below : bool
        Whether any bit below the lowest one of a left-aligned value is set.
    above : bool
        Whether any value is larger than right-aligned ones can be.
    """

    below: bool
    above: bool


def lowest_bit(dataset: Dataset, bits: int) -> int:
    """Return the number of the lowest bit of stored values, as High Bit says.

    Parameters
    ----------
    dataset : pydicom Dataset
    bits : int
        Bits Stored.

    Returns
    -------
    int
        0 for right-aligned values, and where all bits are stored or High Bit is missing.

    Raises
    ------
    UnusableError
        If High Bit is not one of the bits that are allocated.

    Notes
    -----
    DICOM PS3.5 8.1.1 (until 2014) let values lie anywhere: bits High Bit - Bits Stored + 1 to
    High Bit. Newer files have High Bit = Bits Stored - 1.
    """
    allocated = whole_of(dataset, "BitsAllocated", 16)
    high = whole_of(dataset, "HighBit", bits - 1)
    if bits < 1 or bits >= allocated or high < bits:
        return 0
    if high >= allocated:
        raise UnusableError(
            f"High Bit {high} with {allocated} Bits Allocated, expected {bits - 1} for {bits} "
            "Bits Stored"
        )
    return high - bits + 1


def bits_of(stored_range: tuple[int, int]) -> int:
    """Return how many bits hold numbers of a range.

    Examples
    --------
    >>> bits_of((0, 4095)), bits_of((-2048, 2047))
    (12, 12)
    """
    return (stored_range[1] - stored_range[0]).bit_length()


def aligned(stored: np.ndarray, lowest: int, bits: int) -> np.ndarray:
    """Shift values down to the lowest bit, and leave out all others.

    Parameters
    ----------
    stored : ndarray of integers
        With all bits where ``lowest`` is not 0.
    lowest, bits : int
        Number of a value's lowest bit, and how many it has.

    Examples
    --------
    >>> aligned(np.array([0x1235, 0xFFF5], np.uint16), 4, 12).tolist()
    [291, 4095]
    >>> aligned(np.array([-16, 32], np.int16), 4, 12).tolist()
    [-1, 2]
    """
    if not lowest:
        return stored
    width = 8 * stored.dtype.itemsize
    return (stored << (width - lowest - bits)) >> (width - bits)


def use_of_bits(stored: np.ndarray, lowest: int, bits: int) -> BitUse:
    """Look which bits pixels use.

    Parameters
    ----------
    stored : ndarray of integers
        With all bits.
    lowest, bits : int
        As for :func:`aligned`.

    Examples
    --------
    >>> use_of_bits(np.array([291, 4095], np.uint16), 4, 12)
    BitUse(below=True, above=False)
    >>> use_of_bits(np.array([0x1230], np.uint16), 4, 12)
    BitUse(below=False, above=True)
    """
    below = bool(np.any(stored & ((1 << lowest) - 1)))
    low, high = (-(1 << bits - 1), 1 << bits - 1) if stored.dtype.kind == "i" else (0, 1 << bits)
    return BitUse(below, bool(stored.min() < low or stored.max() >= high))
