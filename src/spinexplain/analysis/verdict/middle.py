"""What puts normal vertebrae into a middle state, and how few any lower line could leave there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.figures import judged_fully, verdict_figures
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    MILD_LOSS,
    MODERATE_LOSS,
    NO_SUSPICION,
    Verdict,
)
from spinexplain.findings.weighing import VerdictCalibration

MIDDLE = (BORDERLINE, MILD, DEFORMITY)
NOTICED = {"hard": 0.90, "verse-like": 0.93}
"""Preset -> share of moderate fractures that its bar wants suspected or borderline."""
UNDECIDED = "network_undecided"
LINES = np.linspace(-6.0, 2.0, 801)
"""Lower lines that are tried, in log odds, the lowest first."""
ALL = "all"


def middle_reasons(rows: pd.DataFrame, verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """Count which rule put normal vertebrae into a middle state, by look-alike.

    Returns
    -------
    dict
        Rule -> look-alike (``none`` without one, ``all`` for all vertebrae) -> count, the
        most frequent rule first. A vertebra with several look-alikes counts in each.
    """
    found: dict[str, dict[str, int]] = {}
    for verdict, grade, kinds in zip(verdicts, rows["grade"], rows["look_alikes"], strict=True):
        if grade != 0 or verdict.state not in MIDDLE:
            continue
        counts = found.setdefault(verdict.reason, {})
        for kind in (ALL, *(kinds.split(",") if kinds else ("none",))):
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: -pair[1][ALL]))


def middle_by_look_alike(rows: pd.DataFrame, verdicts: Sequence[Verdict]) -> dict[str, list[int]]:
    """Count normal vertebrae in a middle state among all that bear each look-alike.

    Returns
    -------
    dict
        Look-alike, or ``none`` -> ``[count, of]``.
    """
    middle = np.array([one.state in MIDDLE for one in verdicts], bool)
    healthy = (rows["grade"] == 0).to_numpy()
    kinds = [names.split(",") if names else ["none"] for names in rows["look_alikes"]]
    found = {}
    for kind in sorted({kind for names in kinds for kind in names}):
        bears = healthy & np.array([kind in names for names in kinds], bool)
        if bears.any():
            found[kind] = [int((bears & middle).sum()), int(bears.sum())]
    return found


def least_middle(
    rows: pd.DataFrame, calibration: VerdictCalibration, noticed: float, undecided: bool
) -> dict[str, Any]:
    """Return the fewest normal vertebrae in a middle state that the highest good lower line leaves.

    Parameters
    ----------
    rows : DataFrame
        One group by the route with a mask.
    calibration : VerdictCalibration
        Its weights and upper lines stay.
    noticed : float
        Share of moderate fractures that must be suspected or borderline.
    undecided : bool
        Whether the rule on an undecided network stays.

    Returns
    -------
    dict
        ``middle_of_normal`` and ``g2_noticed``, each ``[count, of]``, with the highest of the
        tried lines that notices enough, else with the lowest; ``line``, its log odds.
    """
    best = _figures(rows, calibration, float(LINES[0]), undecided)
    low, high = 0, len(LINES)  # the highest line that notices enough lies in between
    while high - low > 1:
        middle = (low + high) // 2
        found = _figures(rows, calibration, float(LINES[middle]), undecided)
        if found["g2_noticed"][0] >= noticed * found["g2_noticed"][1]:
            low, best = middle, found
        else:
            high = middle
    return best


def _figures(
    rows: pd.DataFrame, calibration: VerdictCalibration, line: float, undecided: bool
) -> dict[str, Any]:
    verdicts = judged_fully(rows, _with_lower_line(calibration, line))
    said = zip(verdicts, rows["measured_loss"], strict=True)
    named = [_state(verdict, loss, undecided) for verdict, loss in said]
    figures = verdict_figures(rows, pd.Series(named, index=rows.index, dtype=object))
    return {name: figures[name] for name in ("middle_of_normal", "g2_noticed")} | {"line": line}


def _with_lower_line(calibration: VerdictCalibration, line: float) -> VerdictCalibration:
    sets = {
        name: replace(one, borderline=min(line, one.suspected))
        for name, one in calibration.sets.items()
    }
    return replace(calibration, sets=sets)


def _state(verdict: Verdict, loss: float, undecided: bool) -> str:
    if undecided or verdict.reason != UNDECIDED:
        return verdict.state
    if loss >= MODERATE_LOSS:
        return BORDERLINE
    return MILD if loss >= MILD_LOSS else NO_SUSPICION


def stated_middle(
    rows: pd.DataFrame, calibration: VerdictCalibration, preset: str
) -> dict[str, Any]:
    """Return what makes a group's middle states, and how few there could be by its bar."""
    verdicts = judged_fully(rows, calibration)
    found: dict[str, Any] = {
        "middle_reasons": middle_reasons(rows, verdicts),
        "middle_look_alikes": middle_by_look_alike(rows, verdicts),
    }
    if preset in NOTICED:
        found["least_middle"] = {
            name: least_middle(rows, calibration, NOTICED[preset], kept)
            for name, kept in (("all_rules", True), ("without_undecided", False))
        }
    return found
