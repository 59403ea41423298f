"""Candidates of a verdict compared on the fitting spines, each judged by a fit to the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.candidates import Candidate, candidate_odds

FOLDS, TIMES = 10, 5
AT_LINE = 0.05
"""Normal spines suspected in the first figure."""
LINES = (0.01, 0.10)
"""Normal spines suspected over which the second figure is averaged."""
GAIN = 0.05
"""Gain in the first figure from which a candidate is taken up."""
INTERVAL = (2.5, 97.5)


def crossed_comparison(
    table: pd.DataFrame, ways: Mapping[str, Candidate], now: str, draws: int = 1000, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Compare candidates with the verdict as it is, out of fold.

    Parameters
    ----------
    table : DataFrame
        Fitting spines by the route with a mask, rows where all witnesses speak.
    ways : mapping of str to Candidate
    now : str
        The one that the others are compared with.
    draws : int
        Spines are resampled as often as this, the line chosen anew in each.
    seed : int

    Returns
    -------
    dict
        Candidate -> ``suspected`` (moderate fractures, with 5 of 100 normal spines suspected)
        and ``over_lines`` (its mean over all lines with 1 to 10 of 100), each ``value``,
        ``gain``, ``low`` and ``high``; and ``taken_up``.
    """
    sides = {name: _sides(table, one) for name, one in ways.items()}
    spines = table["subject"].nunique()
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, spines, spines) for _ in range(draws)]
    whole = np.arange(spines)
    ours = _figures(sides[now], whole)
    ours_drawn = np.array([_figures(sides[now], chosen) for chosen in drawn])
    found = {}
    for name, side in sides.items():
        theirs = _figures(side, whole)
        gains = np.array([_figures(side, chosen) for chosen in drawn]) - ours_drawn
        found[name] = _stated(theirs, theirs - ours, gains)
    return found


def _stated(values: np.ndarray, gain: np.ndarray, gains: np.ndarray) -> dict[str, Any]:
    low, high = np.nanpercentile(gains, INTERVAL, axis=0)
    figures = {
        name: {
            "value": float(values[n]),
            "gain": float(gain[n]),
            "low": float(low[n]),
            "high": float(high[n]),
        }
        for n, name in enumerate(("suspected", "over_lines"))
    }
    return {**figures, "taken_up": bool(gain[0] >= GAIN and (low > 0).all())}


@dataclass(frozen=True)
class _Side:
    """One way in one partition: the highest of every normal spine, and the moderate fractures."""

    tops: np.ndarray
    moderate: list[np.ndarray]


def _sides(table: pd.DataFrame, one: Candidate) -> list[_Side]:
    return [_side(table, out_of_fold(table, one, time)) for time in range(TIMES)]


def out_of_fold(table: pd.DataFrame, one: Candidate, seed: int) -> np.ndarray:
    """Return log odds of every row by a fit to the spines of the other folds, shape (rows,)."""
    subjects = np.array(sorted(table["subject"].unique()))
    order = np.random.default_rng(seed).permutation(len(subjects))
    place = dict(zip(subjects[order], np.arange(len(subjects)) % FOLDS, strict=True))
    fold = table["subject"].map(place).to_numpy()
    odds = np.full(len(table), np.nan)
    for k in np.unique(fold):
        odds[fold == k] = candidate_odds(one, table[fold != k], table[fold == k])
    return odds


def _side(table: pd.DataFrame, odds: np.ndarray) -> _Side:
    subject = table["subject"].to_numpy()
    normal, moderate = table["normal"].to_numpy(bool), (table["grade"] == 2).to_numpy()
    spines = [subject == name for name in sorted(set(subject))]
    tops = [odds[own].max() if normal[own].any() else np.nan for own in spines]
    return _Side(np.array(tops), [odds[own & moderate] for own in spines])


def _figures(sides: list[_Side], chosen: np.ndarray) -> np.ndarray:
    """Return both figures over chosen spines, mean over the partitions, shape (2,)."""
    return np.mean([_shares(side, chosen) for side in sides], axis=0)


def _shares(side: _Side, chosen: np.ndarray) -> tuple[float, float]:
    tops = side.tops[chosen]
    ordered = np.sort(tops[~np.isnan(tops)])[::-1]
    said = np.concatenate([side.moderate[i] for i in chosen])
    if not len(ordered) or not len(said):
        return np.nan, np.nan
    first, last = (int(share * len(ordered) + 1e-9) for share in LINES)
    lines = ordered[max(first, 1) : last + 1] if last >= 1 else ordered[:1]
    at_line = ordered[int(AT_LINE * len(ordered) + 1e-9)]
    return float((said > at_line).mean()), float(np.mean([(said > one).mean() for one in lines]))
