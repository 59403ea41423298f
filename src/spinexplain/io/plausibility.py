"""Whether the values of a scan can be Hounsfield units."""

from __future__ import annotations

import warnings

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.types import Volume

_SAMPLES = 500_000
_NORMALIZED_SPAN = 10.0  # images scaled to 0..1 or standardized stay within it
_MASK_VALUES = 60
_MASK_MAX = 255
_BONE_HU = 150.0


class ScanWarning(UserWarning):
    """The scan can be read, but something about it should be known."""


def check_hounsfield(name: str, volume: Volume) -> None:
    """Refuse a scan whose values can not be HU, warn about one whose values look odd.

    Parameters
    ----------
    name : str
        What to call the scan in messages.
    volume : Volume

    Raises
    ------
    FileFormatError
        If it holds one value only, looks like a mask, or like an image scaled to 0..1.

    Warns
    -----
    ScanWarning
        If nothing is below 0 (MR, or CT stored without its offset) or nothing is as dense
        as bone.

    Examples
    --------
    >>> check_hounsfield("mask", Volume(np.arange(8).reshape(2, 2, 2) % 2, np.eye(4)))
    Traceback (most recent call last):
    ...
    spinexplain.errors.FileFormatError: mask: values from 0 to 1 are no Hounsfield units; ...
    """
    values = _sample(volume.array)
    if not values.size:
        raise FileFormatError(f"{name}: has no finite value; expected HU. Check the file.")
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise FileFormatError(f"{name}: every voxel is {low:g}; expected HU. Check the file.")
    if high - low <= _NORMALIZED_SPAN:
        raise FileFormatError(
            f"{name}: values from {low:g} to {high:g} are no Hounsfield units; expected about "
            "-1000 to 2000. Is it a mask or a normalized image?"
        )
    if low >= 0 and high <= _MASK_MAX and np.unique(values).size <= _MASK_VALUES:
        raise FileFormatError(
            f"{name}: {np.unique(values).size} different values from 0 to {high:g} look like a "
            "mask; expected a CT in HU. Give the mask with --labels."
        )
    _warn_of_oddities(name, low, high)


def _warn_of_oddities(name: str, low: float, high: float) -> None:
    if low > -_NORMALIZED_SPAN:
        warnings.warn(
            f"{name}: no value is below {low:g}; HU of air and fat are negative. It looks like "
            "MR, or CT stored without its offset: heights hold, grades do not.",
            ScanWarning,
            stacklevel=3,
        )
    elif high < _BONE_HU:
        warnings.warn(
            f"{name}: no value is above {high:g} HU; bone is denser. Check the units.",
            ScanWarning,
            stacklevel=3,
        )


def _sample(array: np.ndarray) -> np.ndarray:
    """Return finite values on a coarse grid over the scan."""
    step = max(1, round((array.size / _SAMPLES) ** (1 / 3)))
    values = array[::step, ::step, ::step]
    return values[np.isfinite(values)]
