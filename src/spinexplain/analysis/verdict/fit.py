"""Fit the verdict's weights and lines to phantom spines of chosen presets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from spinexplain.analysis.verdict.severity import voice
from spinexplain.errors import ConfigError
from spinexplain.findings.weighing import Weighing
from spinexplain.findings.witness import DETECTOR, PROTOTYPES, WITNESSES

RIDGE = 1e-3
"""Keeps weights finite where a witness separates all fractures."""
FALSE_ALARMS_PER_SPINE = 0.05
"""Normal spines of the choosing presets with a suspected fracture."""
SPREAD = "_spread"
"""Ending of the columns with a network's standard deviation over the poses."""
MIDDLE_SHARE = 0.03
"""Normal vertebrae of the choosing presets that the lower line calls borderline."""


def fit_sets(table: pd.DataFrame, witnesses: Sequence[str] = WITNESSES) -> dict[str, Weighing]:
    """Fit one additive model for every set of witnesses that the table has.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.
    witnesses : sequence of str
        Columns to combine.

    Returns
    -------
    dict of str to Weighing
        Keys as :class:`~spinexplain.findings.weighing.VerdictCalibration` has them.

    Raises
    ------
    ConfigError
        If there is no fracture, or no normal vertebra, to fit to.
    """
    there = [name for name in WITNESSES if name in witnesses and name in table]
    sets = {}
    for size in range(1, len(there) + 1):
        for names in combinations(there, size):
            voices = [voice(name, table) for name in names]
            sets["+".join(names)] = fit_weighing(table.dropna(subset=voices), voices)
    return sets


def fit_weighing(rows: pd.DataFrame, names: Sequence[str]) -> Weighing:
    """Fit base, weights and both lines on rows where all witnesses speak.

    Parameters
    ----------
    rows : DataFrame
    names : sequence of str
        Columns, which name the weights.

    Notes
    -----
    Logistic regression of *grade 2 or 3* against *grade 0*; mild fractures, which belong
    to neither, are left out. Weights are kept at 0 or above, so that no witness is turned
    round. Lines are chosen by the rules that use them. The upper one is the lowest at which at
    most 5 of 100 normal spines have a suspected fracture, one spread over the poses included;
    the lower one that at which at most 3 of 100 normal vertebrae are borderline, those whose
    spread crosses the upper line and those of an undecided network among them.
    """
    used = rows[rows["grade"] != 1]
    is_fracture = (used["grade"] >= 2).to_numpy()
    if not is_fracture.any() or is_fracture.all():
        raise ConfigError(
            f"the bench has {int(is_fracture.sum())} fractures among {len(used)} vertebrae; "
            "expected both fractures and normal vertebrae. Draw more scans."
        )
    values = used[list(names)].to_numpy(float)
    base, weights = nonnegative_logistic(values, is_fracture)
    odds = base + rows[list(names)].to_numpy(float) @ weights
    spread = _spread(rows, names, weights)
    suspected = upper_line(normal_tops(rows, odds - spread))
    doubted = (odds + spread >= suspected) | _undecided(rows, names)
    borderline = _lower_line(rows, odds, odds - spread >= suspected, doubted, suspected)
    by_name = {name: float(weight) for name, weight in zip(names, weights, strict=True)}
    return Weighing(base, by_name, suspected, borderline, calibrated=True)


def nonnegative_logistic(values: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Fit a logistic regression whose weights are not below 0.

    Parameters
    ----------
    values : ndarray, shape (N, W)
    labels : ndarray of bool, shape (N,)

    Returns
    -------
    float
        Base.
    ndarray, shape (W,)
        Weights.

    Notes
    -----
    scikit-learn's has no bounds; L-BFGS-B on the same loss does.
    """
    signs = np.where(labels, 1.0, -1.0)

    def loss(packed: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (packed[0] + values @ packed[1:])
        pull = -signs / (1 + np.exp(margins)) / len(signs)
        gradient = np.concatenate([[pull.sum()], values.T @ pull + RIDGE * packed[1:]])
        return float(
            np.logaddexp(0, -margins).mean() + RIDGE / 2 * packed[1:] @ packed[1:]
        ), gradient

    bounds = [(None, None), *[(0.0, None)] * values.shape[1]]
    found = minimize(loss, np.zeros(1 + values.shape[1]), jac=True, bounds=bounds)
    return float(found.x[0]), found.x[1:]


def _spread(rows: pd.DataFrame, names: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the log odds over the poses; 0 where none is known."""
    parts = [
        weight * rows[name + SPREAD].to_numpy(float)
        for name, weight in zip(names, weights, strict=True)
        if name + SPREAD in rows
    ]
    return np.sqrt(sum((part**2 for part in parts), np.zeros(len(rows))))


def normal_tops(rows: pd.DataFrame, odds: np.ndarray) -> np.ndarray:
    """Return the highest of these log odds in every normal spine, shape (spines,)."""
    normal = rows["normal"].to_numpy(bool)
    tops = pd.Series(odds[normal]).groupby(rows["subject"].to_numpy()[normal]).max()
    return tops.to_numpy(float)


def upper_line(tops: np.ndarray) -> float:
    """Return the lowest line that at most 5 of 100 normal spines reach.

    Parameters
    ----------
    tops : ndarray, shape (spines,)
        Of :func:`normal_tops`, one spread over the poses lower.

    Examples
    --------
    >>> round(upper_line(np.arange(20.0)), 6)
    18.0
    """
    if not len(tops):
        return 0.0
    ordered = np.sort(tops)[::-1]
    allowed = int(FALSE_ALARMS_PER_SPINE * len(ordered))
    return float(np.nextafter(ordered[allowed], np.inf))


def lowered_odds(rows: pd.DataFrame, weighing: Weighing) -> np.ndarray:
    """Return the log odds of every row, one spread over the poses lower, shape (rows,)."""
    names = list(weighing.weights)
    weights = np.array([weighing.weights[name] for name in names])
    odds = weighing.base + rows[names].to_numpy(float) @ weights
    return odds - _spread(rows, names, weights)


def _undecided(rows: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Say of every row whether one spread brings a network to even odds, shape (rows,)."""
    found = np.zeros(len(rows), bool)
    for name in names:
        if name in (PROTOTYPES, DETECTOR):
            spread = rows[name + SPREAD].to_numpy(float) if name + SPREAD in rows else 0.0
            found |= rows[name].to_numpy(float) + spread >= 0
    return found


def _lower_line(
    rows: pd.DataFrame,
    odds: np.ndarray,
    is_suspected: np.ndarray,
    doubted: np.ndarray,
    suspected: float,
) -> float:
    """Return the line that at most 3 of 100 normal vertebrae reach without a suspicion."""
    reached = np.where(doubted, suspected, odds)  # borderline by any line
    chosen = (rows["grade"] == 0).to_numpy() & ~is_suspected
    healthy = np.sort(reached[chosen])[::-1]
    allowed = int(MIDDLE_SHARE * len(healthy))
    line = float(np.nextafter(healthy[allowed], np.inf)) if len(healthy) else suspected
    return min(line, suspected)
