"""Whether the centers of the bodies follow one course, and whether their sheets fold.

Centers of a mask are right within a millimeter or two, clicked or detected ones within
three. That much makes the curve through them wind, but neither check speaks of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import fit_curve
from spinexplain.io.level_sizes import usual_step_mm
from spinexplain.spine.curve import fold_flag
from spinexplain.types import Vertebra

CENTER_NOISE_MM = 3.0
"""Standard deviation, along every axis, of a center that is right."""

_OFF_MM = 12.0
_NOISES = 3.5  # in a plane, 1 right center of 500 lies further off
_FEWEST_OTHERS, _MOST_OTHERS = 4, 6
_BESIDE = 2  # levels beside the worst one that may be to blame for it
_STEP_MM = 25.0

_ROWS_MM = 56.0  # above and below the center, half a crop
_BODY_MM = 12.0  # half the width of the narrowest thoracic body
_ROUNDS = 200


def off_course(ordered: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Find the levels whose center lies beside the course of the others.

    Parameters
    ----------
    ordered : sequence of Vertebra
        In cranio-caudal order, centers too.

    Returns
    -------
    set of VertebraLevel
        Over 12 mm, and over 3.5 standard deviations of what 3 mm of noise in every center
        explain, off the parabola through the nearest others; at the ends that is 25 to 35 mm.
        Of several that could be meant, the one without which the others agree best.

    Notes
    -----
    Only the distance across the spine counts: a collapsed body moves the others along it.
    """
    levels = [vertebra.level for vertebra in ordered]
    centers = np.array([vertebra.centroid_mm for vertebra in ordered]).reshape(-1, 3)
    steps = (usual_step_mm(*pair) for pair in pairwise(levels))
    usual_mm = np.array(list(accumulate(steps, initial=0.0)))[: len(levels)]
    off: set[int] = set()
    while True:
        ratios = _distance_ratios(usual_mm, centers, off)
        if ratios.max(initial=0.0) <= 1.0:
            return {levels[i] for i in off}
        worst = int(ratios.argmax())
        near = range(max(worst - _BESIDE, 0), min(worst + _BESIDE + 1, len(levels)))
        left = {
            i: _excess(_distance_ratios(usual_mm, centers, off | {i})) for i in near if i not in off
        }
        off.add(min(left, key=lambda i: left[i]))


def _excess(ratios: np.ndarray) -> tuple[float, float]:
    return float(np.maximum(ratios - 1.0, 0.0).sum()), float(ratios.max())


def _distance_ratios(usual_mm: np.ndarray, centers: np.ndarray, off: set[int]) -> np.ndarray:
    """Return each center's distance from the others' course, in units of the most allowed."""
    ratios = np.zeros(len(centers))
    for i in set(range(len(centers))) - off:
        others = [k for k in range(len(centers)) if k != i and k not in off]
        nearest = sorted(others, key=lambda k: abs(usual_mm[k] - usual_mm[i]))[:_MOST_OTHERS]
        if len(nearest) >= _FEWEST_OTHERS:
            places = (usual_mm[nearest] - usual_mm[i]) / _STEP_MM
            ratios[i] = _distance_ratio(places, centers[nearest], centers[i])
    return ratios


def _distance_ratio(places: np.ndarray, others: np.ndarray, center: np.ndarray) -> float:
    """Return a center's distance from the parabola through others, seen along the spine."""
    powers = np.vander(places, 3)
    _, slope, expected = np.linalg.lstsq(powers, others, rcond=None)[0]
    along = slope / max(float(np.linalg.norm(slope)), 1e-6)
    aside = center - expected
    aside = aside - (aside @ along) * along
    certainty_mm = CENTER_NOISE_MM * np.sqrt(1 + np.linalg.inv(powers.T @ powers)[2, 2])
    return float(np.linalg.norm(aside) / max(_OFF_MM, _NOISES * certainty_mm))


def folded(ordered: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Find the levels whose sheet folds, however the noise of the centers is taken.

    Parameters
    ----------
    ordered : sequence of Vertebra
        In cranio-caudal order, centers too.

    Returns
    -------
    set of VertebraLevel
        Where even the least bent curve within 6 mm of every center turns upwards, or more
        sharply than the half width of a body, in the rows of the level's crop.
    """
    if len(ordered) < 2:
        return set()
    centers = np.array([vertebra.centroid_mm for vertebra in ordered])[:, [0, 2]]
    curve = fit_curve(least_bent(centers, 2 * CENTER_NOISE_MM), np.array([0.0, -1.0]))
    return {
        vertebra.level
        for vertebra, s_mm in zip(ordered, curve.knots_s_mm, strict=True)
        if fold_flag(curve, float(s_mm), _ROWS_MM, _BODY_MM)
    }


def least_bent(points_mm: np.ndarray, within_mm: float) -> np.ndarray:
    """Move points (n, D) by up to ``within_mm`` so that the line through them bends least.

    The ends stay.

    Examples
    --------
    >>> winding = np.array([[0.0, 90], [5, 60], [-5, 30], [0, 0]])
    >>> float(abs(least_bent(winding, 6.0)[:, 0]).max().round(3))
    0.0
    """
    moved = points_mm.astype(float)
    for _ in range(_ROUNDS if len(points_mm) > 2 else 0):
        gaps = np.maximum(np.linalg.norm(np.diff(moved, axis=0), axis=1), 1e-6)
        share = (gaps[:-1] / (gaps[:-1] + gaps[1:]))[:, None]
        wanted = moved[:-2] * (1 - share) + moved[2:] * share - points_mm[1:-1]
        length = np.maximum(np.linalg.norm(wanted, axis=1, keepdims=True), 1e-6)
        nearer = points_mm[1:-1] + wanted * np.minimum(1.0, within_mm / length)
        moved[1:-1] = (moved[1:-1] + nearer) / 2
    return moved
