"""Body centers along the spine: the best chain of peaks, whatever their names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from spinexplain.models.localizing import CENTER, DISC, LEVELS, OFFSETS

_LEAST_FOUND = 0.05  # a lower peak is no candidate
_BIAS = 0.30  # a peak this probable neither gains nor costs
_DISC_GAIN = 0.3
_GAP_SPREAD = 0.22  # of the logarithm of a gap against what the levels let expect
_GAP_WORST = 3.0  # standard deviations; a wider gap costs no more
_HELD = 4.0
_LEAST_GAP_MM, _MOST_GAP_MM = 9.0, 95.0


@dataclass(frozen=True, eq=False)
class AlongSpine:
    """What the levels network answers for n positions, as probabilities and millimeters.

    Parameters
    ----------
    center, disc : ndarray, shape (n,)
        0 to 1.
    offsets_mm : ndarray, shape (n, 3)
        To the nearest center: caudal, posterior, left.
    levels : ndarray, shape (n, 28)
        Probability of every class of ``LEVEL_CLASSES``.
    """

    center: np.ndarray
    disc: np.ndarray
    offsets_mm: np.ndarray
    levels: np.ndarray


def along_spine(answer: np.ndarray) -> AlongSpine:
    """Turn the answer of the levels network, shape (33, n), into an :class:`AlongSpine`."""
    levels = np.exp(answer[LEVELS] - answer[LEVELS].max(axis=0))
    return AlongSpine(
        center=_logistic(answer[CENTER]),
        disc=_logistic(answer[DISC]),
        offsets_mm=answer[OFFSETS].T * 10.0,
        levels=(levels / levels.sum(axis=0)).T,
    )


def _logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))


def center_positions(
    seen: AlongSpine, inside: np.ndarray, expected_gap_mm: np.ndarray, step_mm: float
) -> np.ndarray:
    """Choose the positions of the centers.

    Parameters
    ----------
    seen : AlongSpine
    inside : ndarray of bool, shape (n,)
        Positions that lie in the scan.
    expected_gap_mm : ndarray, shape (n,)
        Distance of neighboring centers to expect at each position.
    step_mm : float
        Distance of the positions.

    Returns
    -------
    ndarray of int, shape (k,)
        Cranial to caudal.

    Notes
    -----
    Dynamic programming over the peaks of the center's probability: a chain gains the
    log-odds of its peaks, less what its gaps differ from the expected ones. Names play no
    part but for the expected gap, a mean over what the levels may be.
    """
    peaks = _peaks(np.where(inside, seen.center, 0.0))
    if not len(peaks):
        return peaks
    odds = np.log(seen.center[peaks] / (1 - seen.center[peaks] + 1e-6)) - np.log(
        _BIAS / (1 - _BIAS)
    )
    gain = np.clip(odds - _DISC_GAIN * seen.disc[peaks], -_HELD, _HELD)
    total, before = gain.copy(), np.full(len(peaks), -1)
    for j in range(len(peaks)):
        gaps = (peaks[j] - peaks[:j]) * step_mm
        expected = (expected_gap_mm[peaks[:j]] + expected_gap_mm[peaks[j]]) / 2
        value = total[:j] - _gap_cost(gaps, expected)
        if j and value.max() > 0:
            before[j] = int(value.argmax())
            total[j] = gain[j] + value.max()
    at, chain = int(total.argmax()), []
    while at >= 0:
        chain.append(at)
        at = before[at]
    return peaks[chain[::-1]]


def _gap_cost(gaps_mm: np.ndarray, expected_mm: np.ndarray) -> np.ndarray:
    off = np.abs(np.log(np.maximum(gaps_mm, 1.0) / expected_mm)) / _GAP_SPREAD
    cost = 0.5 * np.minimum(off, _GAP_WORST) ** 2
    return np.where((gaps_mm < _LEAST_GAP_MM) | (gaps_mm > _MOST_GAP_MM), np.inf, cost)


def _peaks(probability: np.ndarray) -> np.ndarray:
    """Return the local maxima of a slightly smoothed line, int."""
    smooth = gaussian_filter1d(probability, 0.8, mode="nearest")
    left, right = np.r_[-1.0, smooth[:-1]], np.r_[smooth[1:], -1.0]
    return np.flatnonzero((smooth >= left) & (smooth > right) & (probability > _LEAST_FOUND))
