"""Whether the values of a scan can be Hounsfield units."""

from __future__ import annotations

import warnings

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.nifti import check_is_ct
from spinexplain.types import Volume

_HEAVIEST_TISSUE_HU = 4000.0  # above lie metal and its streaks only
_METAL_SHARE = 0.1
_LOOKED_AT = 1_000_000  # voxels, evenly spread
_NORMALIZED_SPAN = 10.0  # images scaled to 0..1 or standardized stay within it


class ScanWarning(UserWarning):
    """The scan can be read, but something about it should be known."""


def check_hounsfield(name: str, volume: Volume) -> None:
    """Refuse a scan whose values cannot be HU, warn about one whose values look odd.

    Parameters
    ----------
    name : str
        What to call the scan in messages.
    volume : Volume

    Raises
    ------
    FileFormatError
        If it holds one value only, looks like a mask, like an image scaled to 0..1, or is
        denser than any patient: other units, or bytes in the wrong order.

    Warns
    -----
    ScanWarning
        If nothing is as light as air or lung: MR, or CT stored without its offset.

    Examples
    --------
    >>> import numpy as np
    >>> check_hounsfield("scan", Volume(np.linspace(0, 1, 8).reshape(2, 2, 2), np.eye(4)))
    Traceback (most recent call last):
    ...
    spinexplain.errors.FileFormatError: scan: values from 0 to 1 are no Hounsfield units; ...
    """
    low, high = volume.range_hu
    if low == high:
        raise FileFormatError(f"{name}: every voxel is {low:g}; expected HU. Check the file.")
    if high - low <= _NORMALIZED_SPAN:
        raise FileFormatError(
            f"{name}: values from {low:g} to {high:g} are no Hounsfield units; expected about "
            "-1000 to 2000. Is it a mask or a normalized image?"
        )
    dense = _dense_share(volume)
    if dense > _METAL_SHARE:
        raise FileFormatError(
            f"{name}: {dense:.0%} of the voxels lie above {_HEAVIEST_TISSUE_HU:.0f} (up to "
            f"{high:g}), denser than any patient; expected HU, about -1000 to 3000. Is it a CT, "
            "and are its units and byte order right?"
        )
    try:
        flags = check_is_ct(volume)
    except FileFormatError as error:
        raise FileFormatError(f"{name}: {error}") from None
    for flag in flags:
        warnings.warn(f"{name}: {flag}. Is it a CT in HU?", ScanWarning, stacklevel=3)


def _dense_share(volume: Volume) -> float:
    step = max(1, round((volume.array.size / _LOOKED_AT) ** (1 / 3)))
    return float(np.mean(volume.array[::step, ::step, ::step] > _HEAVIEST_TISSUE_HU))
