"""Whether the values of a scan can be Hounsfield units."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.nifti import check_is_ct
from spinexplain.io.scan_flags import SLICES_ODD, ScanWarning
from spinexplain.io.slice_order import has_blanked_part, slice_doubt
from spinexplain.io.tissue_peaks import odd_slices, tissue_peaks, wrong_offset_hu
from spinexplain.types import Volume

_HEAVIEST_TISSUE_HU = 4000.0  # above lie metal and its streaks only
_METAL_SHARE = 0.1
_LOOKED_AT = 1_000_000  # voxels, evenly spread
_CORNERS = 6  # of the 27 voxels at the ends and middles of the axes
_LARGEST_PADDING = 65535  # of 16 bits; what is larger are values that wrapped, not padding
_AIR_HU = -1024
_NORMALIZED_SPAN = 10.0  # images scaled to 0..1 or standardized stay within it


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
        If it holds one value only, looks like a mask, like an image scaled to 0..1, is
        denser than any patient (other units, or bytes in the wrong order), or air and soft
        tissue show that the offset is wrong, in all slices or in some.

    Warns
    -----
    ScanWarning
        If nothing is as light as air, lung or fat: MR, or CT stored without its offset.

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
    _check_offset(name, volume)
    for flag in flags:
        warnings.warn(f"{name}: {flag}. Is it a CT in HU?", ScanWarning, stacklevel=3)


def _check_offset(name: str, volume: Volume) -> None:
    peaks = tissue_peaks(volume.array)
    offset = wrong_offset_hu(peaks)
    if offset is not None:
        raise FileFormatError(
            f"{name}: air lies at about {peaks.light:.0f} and soft tissue at {peaks.soft:.0f}, "
            f"{abs(offset):.0f} too {'high' if offset > 0 else 'low'} for Hounsfield units (-1000 "
            "and 40). The rescale intercept is missing or was applied twice: convert the scan "
            "again."
        )
    directions = np.abs(volume.affine[2, :3]) / np.array(volume.spacing_mm)
    odd = odd_slices(volume.array, int(np.argmax(directions)))
    if odd:
        shown = ", ".join(map(str, odd[:8])) + (", ..." if len(odd) > 8 else "")
        raise FileFormatError(
            f"{name}: {len(odd)} slices ({shown}, counted from 0) are over 500 denser throughout "
            "than the others; expected Hounsfield units in all. Their rescale intercept was lost: "
            "convert the scan again."
        )


def with_checked_slices(name: str, volume: Volume) -> Volume:
    """Flag a scan with planes that are blank, repeated or out of order.

    Warns
    -----
    ScanWarning
        If there are any, unless a whole part is blank: no new conversion mends what was blanked
        on purpose, and the report's head says it.
    """
    doubt = slice_doubt(volume.array, volume.affine)
    if not doubt:
        return volume
    message = (
        f"{name}: {doubt}; expected one plane after the other, each measured. Convert the scan "
        "again."
    )
    if not has_blanked_part(volume.array, volume.affine):
        warnings.warn(message, ScanWarning, stacklevel=3)
    return replace(volume, flags=(*volume.flags, SLICES_ODD))


def without_dense_padding(name: str, volume: Volume) -> Volume:
    """Make air of a value above 4000 that fills the corners of every slice.

    Some writers store the padding -2000 as the unsigned 63536. In 32 bits all values below 0
    would be so large, fat and lung too, so that such a scan is left for others to refuse.

    Warns
    -----
    ScanWarning
        If there is such a value.
    """
    array = volume.array
    corners = array[np.ix_(*[sorted({0, n // 2, n - 1}) for n in array.shape])].ravel()
    dense = (corners > _HEAVIEST_TISSUE_HU) & (corners <= _LARGEST_PADDING)
    values, counts = np.unique(corners[dense], return_counts=True)
    if not len(values) or counts.max() < _CORNERS:
        return volume
    padding = values[counts.argmax()]
    message = f"{name}: {padding:g} outside the field of view is padding; read as air."
    warnings.warn(message, ScanWarning, stacklevel=3)
    air = np.where(array == padding, array.dtype.type(_AIR_HU), array)
    return replace(volume, array=air)


def _dense_share(volume: Volume) -> float:
    step = max(1, round((volume.array.size / _LOOKED_AT) ** (1 / 3)))
    return float(np.mean(volume.array[::step, ::step, ::step] > _HEAVIEST_TISSUE_HU))
