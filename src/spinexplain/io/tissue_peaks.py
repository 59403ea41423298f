"""Air, fat and muscle in the values of a scan: whether they lie where Hounsfield units put them.

The lowest value alone says little: padding outside the field of view may be -2000 in a scan
that was stored without its offset, and a crop of the spine may hold no air at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LOOKED_AT = 300_000  # voxels, evenly spread
_PADDING_SHARE = 0.02  # of one exact lowest value
_HEAVIEST_PADDING_HU = -1020.0
_BIN_HU = 10.0
_WINDOW_BINS = 13  # a peak is what lies within 60 HU of it
_RANGE_HU = (-3000.0, 5000.0)
_PEAK_MASS = 0.04
_APART_HU = (700.0, 1250.0)  # from air or lung to soft tissue
_SOFT_HU = (-200.0, 300.0)
_HEAVIEST_AIR_HU = -200.0
_FAT_HU, _FAT_SHARE = (-150.0, -50.0), 0.015
_USUAL_SOFT_HU, _AIR_HU = 40.0, -1000.0
_VALLEY = 0.5
_CUT_SHARE = 0.05  # of values exactly at the lower end
_WINDOW_FLOORS_HU = (-900.0, -50.0)
_ODD_SLICE_HU = 500.0
_LIGHTEST_HU, _LIGHTEST_SHARE = -1400.0, 0.01  # noise takes air to -1300
_LIGHT_SHARE, _LIGHTEST_QUANTILE, _DENSEST_LUNG_HU = 0.04, 0.005, -650.0
_NOISY_FAT_HU = -350.0  # the middle of what noise takes below -200
_BONE_HU, _BONE_QUANTILE = 200.0, 0.999  # a scan of the spine holds denser bone


@dataclass(frozen=True)
class TissuePeaks:
    """Where most values lie.

    Parameters
    ----------
    lowest : float
        Lowest value that is not padding.
    light, soft : float or None
        Peaks of air or lung, and of soft tissue, where there are any.
    fat_share : float
        Share of values where fat lies in HU.
    """

    lowest: float
    light: float | None
    soft: float | None
    fat_share: float


def tissue_peaks(array: np.ndarray) -> TissuePeaks:
    """Find the peaks of light and of soft tissue, wherever the offset put them.

    Parameters
    ----------
    array : ndarray
        Values of a scan; about 300,000 of them are looked at.
    """
    values = _without_padding(_sampled(array))
    edges = np.arange(_RANGE_HU[0], _RANGE_HU[1] + _BIN_HU, _BIN_HU)
    counts = np.histogram(values, edges)[0] / max(len(values), 1)
    mass = np.convolve(counts, np.ones(_WINDOW_BINS), "same")
    middles = edges[:-1] + _BIN_HU / 2
    first = int(np.argmax(mass))
    far = np.abs(middles - middles[first]) >= _APART_HU[0]
    far &= np.abs(middles - middles[first]) <= _APART_HU[1]
    second = int(np.argmax(np.where(far, mass, -1.0)))
    two = mass[second] >= _PEAK_MASS and _valley(mass, first, second)
    found = sorted(middles[i] for i in ((first, second) if two else (first,)))
    low, high = _FAT_HU
    return TissuePeaks(
        lowest=float(values.min()) if len(values) else 0.0,
        light=float(found[0]) if len(found) == 2 else None,
        soft=float(found[-1]) if mass[first] >= _PEAK_MASS else None,
        fat_share=float(np.mean((values > low) & (values < high))) if len(values) else 0.0,
    )


def _valley(mass: np.ndarray, first: int, second: int) -> bool:
    """Whether there is much less between two peaks than at the lower of them."""
    low, high = sorted((first, second))
    least = min(mass[first], mass[second])
    return bool(mass[low : high + 1].min() < _VALLEY * least)


def wrong_offset_hu(peaks: TissuePeaks) -> float | None:
    """Return by how much all values are too high, where air and tissue both show it; else None.

    Examples
    --------
    >>> wrong_offset_hu(TissuePeaks(lowest=0, light=24, soft=1064, fat_share=0))
    1024.0
    >>> wrong_offset_hu(TissuePeaks(lowest=-1024, light=-1000, soft=40, fat_share=0.1))
    """
    if peaks.light is None or peaks.soft is None:
        return None
    by_soft = peaks.soft - _USUAL_SOFT_HU
    disagreement = peaks.light - _AIR_HU - by_soft  # lung is up to 300 above air
    if _SOFT_HU[0] <= peaks.soft <= _SOFT_HU[1] or not -100.0 <= disagreement <= 300.0:
        return None
    return float(round(by_soft))


def hounsfield_doubt(array: np.ndarray) -> str:
    """Say why values may be no Hounsfield units; empty where nothing speaks against it.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    str
        A clause for a message. Air or lung makes a CT; so does fat beside soft tissue and bone,
        where the scan is cropped inside the body. Values lighter than air are of another scale.
    """
    odd = _cut_off(array) or _too_light(array) or _too_dense_air(array)
    if odd:
        return odd
    if float(array.min()) >= _HEAVIEST_AIR_HU:
        dense = float(np.quantile(_sampled(array), _BONE_QUANTILE))
        if dense < _BONE_HU:
            return (
                f"no value lies below {_HEAVIEST_AIR_HU:.0f} (lowest {array.min():.0f}) and the "
                f"densest thousandth begins at {dense:.0f}, where bone lies above {_BONE_HU:.0f}"
            )
        peaks = tissue_peaks(array)
        inside = peaks.soft is not None and _FAT_HU[0] <= peaks.soft <= -_FAT_HU[0]
        if inside and peaks.fat_share >= _FAT_SHARE:
            return ""
        return f"no value lies below {_HEAVIEST_AIR_HU:.0f} (lowest {array.min():.0f})"
    lowest = float(_without_padding(_sampled(array)).min(initial=0.0))
    if lowest >= _HEAVIEST_AIR_HU and _is_padded(array):
        return f"but for padding, no value lies below {_HEAVIEST_AIR_HU:.0f} (lowest {lowest:.0f})"
    return ""


def _cut_off(array: np.ndarray) -> str:
    """Say whether what is lighter than some value was cut off, as by a display window."""
    values = _sampled(array)
    low = float(values.min())
    share = float(np.mean(values == low))
    if not _WINDOW_FLOORS_HU[0] < low < _WINDOW_FLOORS_HU[1] or not _CUT_SHARE < share < 1.0:
        return ""
    return f"{share:.0%} of the values are cut off at {low:.0f}, as by a display window"


def _too_light(array: np.ndarray) -> str:
    """Say whether much is lighter than air, as where values are not in HU but in tenths."""
    values = _without_padding(_sampled(array))
    light = values[values < _LIGHTEST_HU]
    if len(light) < max(_LIGHTEST_SHARE * len(values), 1):
        return ""
    return (
        f"{len(light) / len(values):.0%} of the values lie at {np.median(light):.0f} and "
        "thereabouts, far lighter than air (-1000)"
    )


def _too_dense_air(array: np.ndarray) -> str:
    """Say whether all that is light is denser than lung, as where values are half of HU."""
    values = _without_padding(_sampled(array))
    light = values[values < _HEAVIEST_AIR_HU]
    if not _LIGHT_SHARE <= len(light) / max(len(values), 1) < 1.0:
        return ""
    lightest = float(np.quantile(light, _LIGHTEST_QUANTILE))
    if lightest < _DENSEST_LUNG_HU or np.median(light) > _NOISY_FAT_HU:
        return ""
    return (
        f"{len(light) / len(values):.0%} of the values lie below {_HEAVIEST_AIR_HU:.0f}, but none "
        f"near air (-1000): the lightest lie at {lightest:.0f}"
    )


def odd_slices(array: np.ndarray, axis: int) -> list[int]:
    """List the planes along an axis whose values are all far denser than in the others.

    Parameters
    ----------
    array : ndarray, shape (X, Y, Z)
    axis : int

    Returns
    -------
    list of int
        Indices of planes whose 10th, 50th and 90th percentile all lie over 500 above the
        usual ones, as where the offset was left out for some slices.
    """
    planes = np.moveaxis(array, axis, 0)
    steps = [max(1, side // 48) for side in planes.shape[1:]]
    thin = planes[:, :: steps[0], :: steps[1]].reshape(len(planes), -1).astype(np.float32)
    percentiles = np.percentile(thin, (10, 50, 90), axis=1).T
    off = np.all(percentiles > np.median(percentiles, axis=0) + _ODD_SLICE_HU, axis=1)
    return np.flatnonzero(off).tolist()


def _sampled(array: np.ndarray) -> np.ndarray:
    step = max(1, round((array.size / _LOOKED_AT) ** (1 / 3)))
    return array[::step, ::step, ::step].ravel().astype(np.float32)


def _without_padding(values: np.ndarray) -> np.ndarray:
    """Leave out a lowest value, no denser than air, that fills 2 % and stands apart."""
    if not len(values) or values.min() > _HEAVIEST_PADDING_HU:
        return values
    at_lowest = values == values.min()
    rest = values[~at_lowest]
    apart = len(rest) > 0 and float(rest.min() - values.min()) >= _BIN_HU
    return rest if apart and at_lowest.mean() >= _PADDING_SHARE else values


def _is_padded(array: np.ndarray) -> bool:
    values = _sampled(array)
    return len(_without_padding(values)) < len(values)
