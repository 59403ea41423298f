"""Fit the score of severity, calibrate each grade's range of it, and learn the usual image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import ceil, floor, inf

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.findings.grade_set import SeverityScale
from spinexplain.findings.witness import BROAD, HEIGHTS, SEVERE, WITNESSES
from spinexplain.spine.image_terms import TERMS

COVERAGE = 0.90
RIDGE = 1e-3
IMAGE = "image_"
"""Columns of the table with this beginning hold terms of the image."""
USUAL_SHARE = 0.99
MARGIN = 0.25
"""The usual range holds 99 % of the fitted spines' values, and a quarter of its width beyond:
few scans do not show how far scanners go."""


def fit_scales(table: pd.DataFrame) -> dict[str, SeverityScale]:
    """Fit one score of severity for every set of witnesses; the ranges are open as yet.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.

    Returns
    -------
    dict of str to SeverityScale
        Keys as :class:`~spinexplain.findings.weighing.VerdictCalibration` has them.
    """
    there = [name for name in WITNESSES if name in table]
    scales = {}
    for size in range(1, len(there) + 1):
        for names in combinations(there, size):
            columns = [column for name in names for column in _columns(name, table)]
            rows = table.dropna(subset=columns)
            weights = ordinal_weights(rows[columns].to_numpy(float), rows["grade"].to_numpy(int))
            by_name = {k: float(w) for k, w in zip(columns, weights, strict=True)}
            scales["+".join(names)] = SeverityScale(by_name, dict.fromkeys(GENANT_GRADES, OPEN))
    return scales


OPEN = (-inf, inf)


def _columns(name: str, table: pd.DataFrame) -> list[str]:
    if name == HEIGHTS:
        return [voice(name, table)]
    return [one for one in (name, name + SEVERE) if one in table]


def voice(name: str, table: pd.DataFrame) -> str:
    """Return the column that a witness is weighed by: of the heights the broad loss, if known."""
    broad = name + BROAD
    return broad if broad in table else name


def ordinal_weights(values: np.ndarray, grades: np.ndarray) -> np.ndarray:
    """Fit a proportional-odds regression whose weights are not below 0.

    Parameters
    ----------
    values : ndarray, shape (N, W)
    grades : ndarray of int, shape (N,)
        0 to 3.

    Returns
    -------
    ndarray, shape (W,)

    Notes
    -----
    McCullagh, J R Stat Soc B 1980;42:109-142: ``P(grade <= k) = sigmoid(cut_k - score)``.
    Cuts are kept in order as a first one and steps above 0. Grades weigh alike, however rare.
    """
    present = np.unique(grades)
    place = np.searchsorted(present, grades)
    share = 1.0 / (len(present) * np.bincount(place)[place])

    def loss(packed: np.ndarray) -> float:
        cuts = np.concatenate([[-inf], np.cumsum(packed[: len(present) - 1]), [inf]])
        score = values @ packed[len(present) - 1 :]
        inside = _sigmoid(cuts[place + 1] - score) - _sigmoid(cuts[place] - score)
        weights = packed[len(present) - 1 :]
        return float(-share @ np.log(np.maximum(inside, 1e-12)) + RIDGE * weights @ weights / 2)

    steps = len(present) - 2
    bounds = [(None, None), *[(1e-3, None)] * steps, *[(0.0, None)] * values.shape[1]]
    start = np.concatenate([[0.0], np.ones(steps), np.full(values.shape[1], 0.1)])
    return minimize(loss, start, bounds=bounds).x[len(present) - 1 :]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


def calibrated(
    scales: Mapping[str, SeverityScale], table: pd.DataFrame, coverage: float = COVERAGE
) -> dict[str, SeverityScale]:
    """Give every grade its range of severity, from vertebrae that no weight was fitted to.

    Parameters
    ----------
    scales : mapping of str to SeverityScale
    table : DataFrame
        Rows for calibration alone.
    coverage : float
    """
    return {
        name: replace(one, ranges=_ranges(one, table, coverage)) for name, one in scales.items()
    }


def scores(scale: SeverityScale, table: pd.DataFrame) -> pd.Series:
    """Score every row; NaN where a witness is missing."""
    weights = list(scale.weights.items())
    return sum((w * table[name] for name, w in weights), pd.Series(0.0, index=table.index))


def _ranges(
    scale: SeverityScale, table: pd.DataFrame, coverage: float
) -> dict[str, tuple[float, float]]:
    found = scores(scale, table)
    ends = [
        grade_range(found[(table["grade"] == grade) & found.notna()].to_numpy(), grade, coverage)
        for grade in range(len(GENANT_GRADES))
    ]
    # In order, so that a set never skips a grade; this only widens.
    lows = np.minimum.accumulate([low for low, _ in ends][::-1])[::-1]
    highs = np.maximum.accumulate([high for _, high in ends])
    return {
        name: (float(low), float(high))
        for name, low, high in zip(GENANT_GRADES, lows, highs, strict=True)
    }


def grade_range(scores: np.ndarray, grade: int, coverage: float) -> tuple[float, float]:
    """Return the range that holds a new vertebra of this grade as often as asked for.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Of the calibrating vertebrae of the grade.
    grade : int
        The lowest grade is bounded from above alone, the highest from below alone, the others
        on both sides alike.
    coverage : float

    Notes
    -----
    With n exchangeable scores a new one lies at or under the k-th smallest with probability
    k / (n + 1). An end is open where there are too few.

    Examples
    --------
    >>> grade_range(np.arange(1.0, 10.0), 0, 0.9)
    (-inf, 9.0)
    >>> grade_range(np.arange(1.0, 10.0), 3, 0.8)
    (2.0, inf)
    """
    ordered, n = np.sort(scores), len(scores)
    miss = 1 - coverage
    below = {0: 0.0, len(GENANT_GRADES) - 1: miss}.get(grade, miss / 2)
    above = {0: miss, len(GENANT_GRADES) - 1: 0.0}.get(grade, miss / 2)
    low = floor((n + 1) * below + 1e-9)
    high = ceil((n + 1) * (1 - above) - 1e-9)
    return (
        float(ordered[low - 1]) if low >= 1 else -inf,
        float(ordered[high - 1]) if high <= n else inf,
    )


def usual_image(
    table: pd.DataFrame, terms: Sequence[str] = TERMS
) -> dict[str, tuple[float, float]]:
    """Return the range of every term of the image among the scans of the fit."""
    cut = (1 - USUAL_SHARE) / 2
    ranges = {}
    for name in terms:
        low, high = np.nanquantile(table[IMAGE + name].to_numpy(float), (cut, 1 - cut))
        margin = MARGIN * (high - low)
        ranges[name] = (float(low - margin), float(high + margin))
    return ranges
