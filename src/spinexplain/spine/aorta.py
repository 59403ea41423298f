"""Contrast medium, as the blood in front of the spine shows it.

Density in HU rises with contrast medium in the marrow's own vessels. Where nobody says whether
any was given, the aorta does: its blood has 30 to 60 HU without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from spinexplain.geometry import Curve, apply_affine
from spinexplain.spine.curve import spine_curve
from spinexplain.spine.norms import norm_depth_mm
from spinexplain.spine.planes_across import across
from spinexplain.types import Vertebra, Volume

ENHANCED_HU, PLAIN_HU = 130.0, 100.0
"""Blood from and up to which contrast medium was given, or was not; in between nobody can say."""

_STEP_MM = 2.0
_BEFORE_MM = (3.0, 35.0)  # of the front wall
_BESIDE_MM = 36.0
_PLANES = 5
_RADIUS_MM = 6.0
_BLOOD_HU = (0.0, 700.0)
_BEYOND_HU = -1000.0
_EVEN = (1.4, 4.0)  # times the plate's own noise, and HU
_FEWEST_LEVELS, _MOST_APART_HU = 3, 40.0


def aorta_hu(volume: Volume, vertebrae: Sequence[Vertebra]) -> float | None:
    """Read the density of the brightest even round place in front of the spine.

    Parameters
    ----------
    volume : Volume
        HU.
    vertebrae : sequence of Vertebra

    Returns
    -------
    float or None
        Median over the thoracic and lumbar levels; None where fewer than three show such a
        place, or they differ by more than 40 HU.
    """
    graded = [one for one in vertebrae if one.level.is_graded]
    if len(graded) < _FEWEST_LEVELS:
        return None
    curve = spine_curve(vertebrae)
    ordered = sorted(vertebrae, key=lambda one: one.level.order)
    places = dict(zip((one.level for one in ordered), curve.knots_s_mm, strict=True))
    seen = [_at_level(volume, curve, float(places[one.level]), one) for one in graded]
    found = np.array([hu for hu in seen if hu is not None])
    if len(found) < max(_FEWEST_LEVELS, len(graded) / 2):
        return None
    low, high = np.percentile(found, (25, 75))
    return float(np.median(found)) if high - low <= _MOST_APART_HU else None


def contrast_words(hu: float | None) -> str:
    """Say what the blood shows: ``"given"``, ``"none"`` or ``"unknown"``.

    Examples
    --------
    >>> contrast_words(45.0), contrast_words(260.0), contrast_words(115.0), contrast_words(None)
    ('none', 'given', 'unknown', 'unknown')
    """
    if hu is None or PLAIN_HU < hu < ENHANCED_HU:
        return "unknown"
    return "given" if hu >= ENHANCED_HU else "none"


def _at_level(volume: Volume, curve: Curve, s_mm: float, vertebra: Vertebra) -> float | None:
    depth = norm_depth_mm(vertebra.level)
    if depth is None:
        return None
    forward = depth / 2 + np.arange(_BEFORE_MM[0], _BEFORE_MM[1], _STEP_MM)
    left = np.arange(-_BESIDE_MM, _BESIDE_MM + 0.1, _STEP_MM)
    s = s_mm + _STEP_MM * (np.arange(_PLANES) - (_PLANES - 1) / 2)
    ijk = np.rint(apply_affine(np.linalg.inv(volume.affine), across(curve, s, forward, left)))
    inside = np.all((ijk >= 0) & (ijk < volume.array.shape), axis=-1)
    at = np.where(inside[..., None], ijk, 0).astype(int)
    hu = np.where(inside, volume.array[tuple(np.moveaxis(at, -1, 0))], _BEYOND_HU)
    return brightest_even(hu.mean(axis=0))


def brightest_even(plate: np.ndarray) -> float | None:
    """Return the mean of the brightest round place that is as even as the plate's noise allows.

    Parameters
    ----------
    plate : ndarray, shape (F, L)
        HU, samples 2 mm apart.
    """
    reach = int(_RADIUS_MM / _STEP_MM)
    line = np.arange(-reach, reach + 1)
    disc = (np.hypot(*np.meshgrid(line, line)) <= reach).astype(float)
    disc /= disc.sum()
    mean = ndimage.convolve(plate, disc, mode="nearest")
    spread = np.sqrt(np.maximum(ndimage.convolve(plate**2, disc, mode="nearest") - mean**2, 0.0))
    whole = np.zeros(plate.shape, bool)
    whole[reach:-reach, reach:-reach] = True
    tissue = whole & (mean > _BLOOD_HU[0]) & (mean < _BLOOD_HU[1])
    if not tissue.any():
        return None
    even = tissue & (spread <= _EVEN[0] * np.percentile(spread[tissue], 10) + _EVEN[1])
    return float(mean[even].max()) if even.any() else None
