"""Two ways to the verdict on the same spines, and how sure a line is: by resampling spines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from spinexplain.analysis.verdict.figures import COUNTED, OF, spine_counts
from spinexplain.analysis.verdict.fit import lowered_odds, normal_tops, upper_line
from spinexplain.findings.verdict import NOT_ASSESSABLE, Verdict
from spinexplain.findings.weighing import Weighing

INTERVAL = (2.5, 97.5)
AREA = "area"


def paired_differences(
    table: pd.DataFrame,
    one: Sequence[Verdict],
    other: Sequence[Verdict],
    seed: int = 0,
    draws: int = 2000,
) -> dict[str, dict[str, float | None]]:
    """Return how much higher each figure is by one way than by the other.

    Parameters
    ----------
    table : DataFrame
        With ``group``, ``subject``, ``normal`` and ``grade``.
    one, other : sequence of Verdict
        Row by row.
    seed : int
    draws : int
        Spines are resampled within their group as often as this.

    Returns
    -------
    dict
        For each of :data:`~spinexplain.analysis.verdict.figures.COUNTED`, and ``area`` (under
        the curve of the log odds, grades 2 and 3 against 0): ``difference`` of the shares,
        ``low`` and ``high`` of its 95 % interval; None where nothing is there to count.
    """
    sides = [_Side(table, verdicts) for verdicts in (one, other)]
    spines = sides[0].counts.index
    groups = table.groupby("subject")["group"].first().loc[spines].to_numpy()
    rng = np.random.default_rng(seed)
    resampled = [_resampled(groups, rng) for _ in range(draws)]
    named = dict.fromkeys((*COUNTED, AREA))
    return {name: _difference(name, sides, len(spines), resampled) for name in named}


class _Side:
    """The verdicts of one way, by spine."""

    def __init__(self, table: pd.DataFrame, verdicts: Sequence[Verdict]) -> None:
        states = pd.Series([v.state for v in verdicts], index=table.index, dtype=object)
        self.counts = spine_counts(table, states)
        clear = ((table["grade"] != 1) & (states != NOT_ASSESSABLE)).to_numpy()
        odds = np.array([v.log_odds for v in verdicts])
        broken = (table["grade"] >= 2).to_numpy()
        subjects = table["subject"].to_numpy()
        self.odds = [odds[clear & (subjects == name)] for name in self.counts.index]
        self.broken = [broken[clear & (subjects == name)] for name in self.counts.index]

    def figure(self, name: str, chosen: np.ndarray) -> float:
        """Return a figure over chosen spines; NaN where nothing is there to count."""
        if name == AREA:
            broken = np.concatenate([self.broken[i] for i in chosen])
            return _area(broken, np.concatenate([self.odds[i] for i in chosen]))
        count = self.counts[name].to_numpy()[chosen].sum()
        of = self.counts[name + OF].to_numpy()[chosen].sum()
        return float(count / of) if of else float("nan")


def _area(broken: np.ndarray, odds: np.ndarray) -> float:
    """Return the area under the curve by ranks, which is quick enough for thousands of draws."""
    count = int(broken.sum())
    if count in (0, len(broken)):
        return float("nan")
    above = rankdata(odds)[broken].sum() - count * (count + 1) / 2
    return float(above / (count * (len(broken) - count)))


def _resampled(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw as many spines of every group as it has, with replacement."""
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    return np.concatenate([rng.choice(some, len(some)) for some in members])


def _difference(
    name: str, sides: Sequence[_Side], spines: int, resampled: Sequence[np.ndarray]
) -> dict[str, float | None]:
    one, other = sides
    whole = np.arange(spines)
    found = one.figure(name, whole) - other.figure(name, whole)
    drawn = [one.figure(name, chosen) - other.figure(name, chosen) for chosen in resampled]
    known = [value for value in drawn if np.isfinite(value)]
    if not np.isfinite(found) or not known:
        return {"difference": None, "low": None, "high": None}
    low, high = np.percentile(known, INTERVAL)
    return {"difference": found, "low": float(low), "high": float(high)}


def line_range(
    rows: pd.DataFrame,
    weighing: Weighing,
    tested: pd.DataFrame,
    seed: int = 0,
    draws: int = 1000,
) -> dict[str, Any]:
    """Return how far the upper line moves with the normal spines that it is chosen on.

    Parameters
    ----------
    rows : DataFrame
        The fitting spines.
    weighing : Weighing
        Its weights are kept; only the line is chosen again.
    tested : DataFrame
        Spines that chose nothing.
    seed : int
    draws : int
        Normal spines are resampled as often as this.

    Returns
    -------
    dict
        ``line`` (that of ``weighing``), ``again`` (chosen on these rows), ``low`` and ``high``
        (95 % of the draws), ``normal_spines``, and ``alarms`` of tested normal spines at the
        low end, the line itself and the high end: ``[count, of]``.
    """
    tops = normal_tops(*_heard(rows, weighing))
    held_out = normal_tops(*_heard(tested, weighing))
    rng = np.random.default_rng(seed)
    lines = [upper_line(rng.choice(tops, len(tops))) for _ in range(draws)]
    low, high = (float(end) for end in np.percentile(lines, INTERVAL))
    return {
        "line": weighing.suspected,
        "again": upper_line(tops),
        "low": low,
        "high": high,
        "normal_spines": len(tops),
        "alarms": [
            [int((held_out >= line).sum()), len(held_out)]
            for line in (low, weighing.suspected, high)
        ],
    }


def _heard(rows: pd.DataFrame, weighing: Weighing) -> tuple[pd.DataFrame, np.ndarray]:
    """Keep the rows where all witnesses speak, with their log odds, one spread lower."""
    kept = rows.dropna(subset=list(weighing.weights))
    return kept, lowered_odds(kept, weighing)
