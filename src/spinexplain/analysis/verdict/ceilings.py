"""How many moderate fractures the best line would reach, had it been chosen on that very group.

Upper bounds of what the same witnesses can do: they never ship. A target that is missed even so
is missed by the witnesses, not by the line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.fit import fit_weighing, lowered_odds, normal_tops
from spinexplain.analysis.verdict.paired import line_range
from spinexplain.analysis.verdict.severity import voice
from spinexplain.findings.weighing import VerdictCalibration, Weighing
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES

ALLOWED_ALARMS = {"hard": 0.10, "verse-like": 0.05}
"""Preset -> share of its normal spines that its bar allows to have a suspected fracture."""


def line_allowing(tops: np.ndarray, share: float) -> float:
    """Return the lowest line that at most this share of values reaches.

    Parameters
    ----------
    tops : ndarray, shape (n,)
    share : float

    Examples
    --------
    >>> round(line_allowing(np.arange(20.0), 0.10), 6)
    17.0
    """
    if not len(tops):
        return 0.0
    ordered = np.sort(tops)[::-1]
    return float(np.nextafter(ordered[int(share * len(ordered) + 1e-9)], np.inf))


def ceilings(
    rows: pd.DataFrame, calibration: VerdictCalibration, allowed: float
) -> dict[str, dict[str, list[int]]]:
    """Count the moderate fractures suspected with the best line for these very rows.

    Parameters
    ----------
    rows : DataFrame
        One group by the route with a mask.
    calibration : VerdictCalibration
        Levels without heights are called by its network alone, with its line.
    allowed : float
        Share of normal spines that may have a suspected fracture.

    Returns
    -------
    dict
        Way -> ``suspected`` (moderate fractures) and ``alarms`` (normal spines), each
        ``[count, of]``: ``as_shipped``; ``best_line`` with the weights that ship; ``fitted``
        with weights and line of these very rows; ``heights`` alone with their best line, levels
        without heights left out.
    """
    spoken = rows[rows["refusal"] == ""]
    both, alone = calibration.sets[f"{PROTOTYPES}+{HEIGHTS}"], calibration.sets[HEIGHTS]
    network = calibration.sets[PROTOTYPES]
    measured = spoken[list(both.weights)].notna().all(axis=1).to_numpy()
    voices = [voice(name, rows) for name in (PROTOTYPES, HEIGHTS)]
    own = fit_weighing(spoken[measured], voices)
    ways = {"best_line": both, "fitted": own}
    return {
        "as_shipped": _said(spoken, _over(spoken, both, network, measured, both.suspected)),
        **{
            name: _said(spoken, _best(spoken, one, network, measured, allowed))
            for name, one in ways.items()
        },
        "heights": _of_heights(spoken[measured], alone, allowed),
    }


def _over(
    rows: pd.DataFrame, both: Weighing, network: Weighing, measured: np.ndarray, line: float
) -> np.ndarray:
    """Say of every row whether it is suspected, shape (N,)."""
    by_network = lowered_odds(rows, network) >= network.suspected
    return np.where(measured, lowered_odds(rows, both) >= line, by_network)


def _best(
    rows: pd.DataFrame, both: Weighing, network: Weighing, measured: np.ndarray, allowed: float
) -> np.ndarray:
    # A spine that the network alone calls, without heights, is called by any line.
    called = ~measured & _over(rows, both, network, measured, np.inf)
    odds = np.where(called, np.inf, np.where(measured, lowered_odds(rows, both), -np.inf))
    return _over(rows, both, network, measured, line_allowing(normal_tops(rows, odds), allowed))


def _of_heights(rows: pd.DataFrame, alone: Weighing, allowed: float) -> dict[str, list[int]]:
    odds = lowered_odds(rows, alone)
    return _said(rows, odds >= line_allowing(normal_tops(rows, odds), allowed))


def _said(rows: pd.DataFrame, suspected: np.ndarray) -> dict[str, list[int]]:
    moderate = (rows["grade"] == 2).to_numpy()
    alarmed = normal_tops(rows, suspected.astype(float))
    return {
        "suspected": [int((suspected & moderate).sum()), int(moderate.sum())],
        "alarms": [int(alarmed.sum()), len(alarmed)],
    }


def at_other_lines(
    chosen: pd.DataFrame, rows: pd.DataFrame, calibration: VerdictCalibration
) -> dict[str, Any]:
    """Count what lines chosen on resampled normal spines suspect: how sure the shipped one is.

    Parameters
    ----------
    chosen : DataFrame
        The fitting spines by the route with a mask.
    rows : DataFrame
        One group by the route with a mask.
    calibration : VerdictCalibration

    Returns
    -------
    dict
        ``low`` and ``high``, the ends of 95 % of the lines: ``line`` (log odds), and
        ``suspected`` and ``alarms`` as of :func:`ceilings`.
    """
    both, network = calibration.sets[f"{PROTOTYPES}+{HEIGHTS}"], calibration.sets[PROTOTYPES]
    spoken = rows[rows["refusal"] == ""]
    measured = spoken[list(both.weights)].notna().all(axis=1).to_numpy()
    ends = line_range(chosen, both, spoken)
    return {
        name: {"line": ends[name]}
        | _said(spoken, _over(spoken, both, network, measured, ends[name]))
        for name in ("low", "high")
    }


def stated_ceilings(
    chosen: pd.DataFrame, rows: pd.DataFrame, calibration: VerdictCalibration, preset: str
) -> dict[str, Any]:
    """Return the ceilings of a group by the bar of its preset; empty where it has none."""
    if preset not in ALLOWED_ALARMS:
        return {}
    return {
        "ceilings": ceilings(rows, calibration, ALLOWED_ALARMS[preset]),
        "other_lines": at_other_lines(chosen, rows, calibration),
    }
