"""Contrast medium, as the blood in front of the spine shows it.

Density in HU rises with contrast medium in the marrow's own vessels. Where nobody says whether
any was given, the aorta does: its blood has 30 to 60 HU without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import Curve, apply_affine
from spinexplain.spine.curve import spine_curve
from spinexplain.spine.norms import norm_depth_mm
from spinexplain.spine.planes_across import across
from spinexplain.types import Vertebra, Volume

ENHANCED_HU, PLAIN_HU = 150.0, 100.0
"""Blood from and up to which contrast medium was given, or was not; in between nobody can say."""

_FIRST, _LAST = VertebraLevel.T3, VertebraLevel.L4
"""Levels with the aorta in front of them: below its arch, above where it divides."""

_STEP_MM = 2.0
_BEFORE_MM = (3.0, 35.0)  # of the front wall
_BESIDE_MM = 36.0
_PLANES = 5
_RADIUS_MM = 4.0
_BLOOD_HU = (0.0, 700.0)
_BEYOND_HU = -1000.0
_EVEN = (1.4, 4.0)  # times the plate's own noise, and HU
_ABOVE_TISSUE_HU = 60.0
_FEWEST_LEVELS = 3


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
        Where half of the levels T3 to L4 show a place of 150 HU or more, and 60 HU more than
        the tissue around it, the median of these; where three quarters show none above
        100 HU, the median of all; else None: organs, bowel and noise may mislead it.
    """
    graded = [one for one in vertebrae if _FIRST.order <= one.level.order <= _LAST.order]
    if len(graded) < _FEWEST_LEVELS:
        return None
    curve = spine_curve(vertebrae)
    ordered = sorted(vertebrae, key=lambda one: one.level.order)
    places = dict(zip((one.level for one in ordered), curve.knots_s_mm, strict=True))
    seen = [_at_level(volume, curve, float(places[one.level]), one) for one in graded]
    return _agreed(np.array([pair for pair in seen if pair is not None]), len(graded))


def _agreed(found: np.ndarray, levels: int) -> float | None:
    """Return what the levels agree on; rows of ``found`` are blood and tissue around it."""
    if len(found) < max(_FEWEST_LEVELS, levels / 2):
        return None
    blood, tissue = found.T
    bright = (blood >= ENHANCED_HU) & (blood - tissue >= _ABOVE_TISSUE_HU)
    if bright.sum() >= max(_FEWEST_LEVELS, levels / 2):
        return float(np.median(blood[bright]))
    return float(np.median(blood)) if np.percentile(blood, 75) <= PLAIN_HU else None


def contrast_seen(hu: float | None) -> str:
    """Say what the blood shows: ``"given"``, ``"none"`` or ``"unknown"``.

    Examples
    --------
    >>> [contrast_seen(hu) for hu in (45.0, 260.0, 115.0, None)]
    ['none', 'given', 'unknown', 'unknown']
    """
    if hu is None or PLAIN_HU < hu < ENHANCED_HU:
        return "unknown"
    return "given" if hu >= ENHANCED_HU else "none"


def _at_level(
    volume: Volume, curve: Curve, s_mm: float, vertebra: Vertebra
) -> tuple[float, float] | None:
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


def brightest_even(plate: np.ndarray) -> tuple[float, float] | None:
    """Return the mean of the brightest round place that is as even as the plate's noise allows.

    Beside it stands the lower quartile of all tissue; None where there is none.

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
    if not even.any():
        return None
    return float(mean[even].max()), float(np.percentile(mean[tissue], 25))
