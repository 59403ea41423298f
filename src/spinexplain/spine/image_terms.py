"""What a scanner leaves on a sheet: a few numbers that say how far a scan lies from others.

Each is something a reader knows by name, so that a page can say which of them is unusual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from spinexplain.types import Patch

TERMS = ("slice_mm", "noise_hu", "sharpness", "soft_tissue_hu", "bone_hu", "outside")
"""Distance of slices; noise; how quickly values change from pixel to pixel, against two pixels
further; level of soft tissue and of the body's middle; share of the sheet beyond the scan."""

PER_VERTEBRA = ("bone_hu", "outside")
"""Terms of one vertebra; the others are the scanner's and are taken over the whole scan."""

_SOFT_HU = (-60.0, 160.0)
_MIDDLE = 8  # samples either side of the center
_TO_SD = 1.4826


def image_terms(patch: Patch, spacing_mm: Sequence[float]) -> dict[str, float]:
    """Measure the terms on one sheet.

    Parameters
    ----------
    patch : Patch
        A sheet in HU, samples 1 mm apart.
    spacing_mm : sequence of 3 floats
        Of the CT.

    Returns
    -------
    dict of str to float
        By :data:`TERMS`; NaN where the sheet shows no soft tissue.

    Notes
    -----
    Noise is the usual spread (median absolute deviation, as a standard deviation) of mixed
    second differences, which vanish on any smooth structure. Sharpness is the usual size of a
    step of one sample against that of a step of two: 0.5 on what is smooth, about 0.7 to 1 on
    noise, above 1 where a kernel overshoots.
    """
    sheet = np.asarray(patch.array, np.float64)
    soft = sheet[(sheet > _SOFT_HU[0]) & (sheet < _SOFT_HU[1])]
    rows, columns = (slice(n // 2 - _MIDDLE, n // 2 + _MIDDLE) for n in sheet.shape)
    return {
        "slice_mm": float(max(spacing_mm)),
        "noise_hu": _noise(sheet),
        "sharpness": _sharpness(sheet),
        "soft_tissue_hu": float(np.median(soft)) if soft.size else float("nan"),
        "bone_hu": float(np.median(sheet[rows, columns])),
        "outside": float(patch.outside),
    }


def scan_terms(sheets: Iterable[Mapping[str, float]]) -> list[dict[str, float]]:
    """Give every vertebra of a scan the scan's own terms: medians over its sheets.

    Parameters
    ----------
    sheets : iterable of mapping
        Of :func:`image_terms`, one a vertebra.

    Examples
    --------
    >>> one = dict.fromkeys(TERMS, 1.0)
    >>> scan_terms([one, {**one, "noise_hu": 3.0, "outside": 0.5}])[1]["noise_hu"]
    2.0
    """
    found = list(sheets)
    shared = {
        name: float(np.median([one[name] for one in found]))
        for name in TERMS
        if found and name not in PER_VERTEBRA
    }
    return [{**one, **shared} for one in found]


def _noise(sheet: np.ndarray) -> float:
    mixed = sheet[1:, 1:] - sheet[:-1, 1:] - sheet[1:, :-1] + sheet[:-1, :-1]
    return _TO_SD * float(np.median(np.abs(mixed))) / 2.0


def _sharpness(sheet: np.ndarray) -> float:
    one = np.median(np.abs(sheet[:, 1:] - sheet[:, :-1]))
    two = np.median(np.abs(sheet[:, 2:] - sheet[:, :-2]))
    return float(one / max(two, 1e-6))
