"""What each witness is worth by every mask: found, false alarms, area under the curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.findings.verdict import BORDERLINE, SUSPECTED

DRAWS = 1000
CALLED_LOSS = 0.25
"""Heights alone call a fracture from here on, as Genant's moderate grade begins."""
SCORES = {"heights": "measured_loss", "sheets": "prototypes", "boxes": "detector"}
"""Witness -> what it ranks vertebrae by; *heights* by the loss itself, as measured."""


def by_mask(table: pd.DataFrame) -> dict[str, Any]:
    """Return figures of every witness by every mask, and how they change from the exact one.

    Parameters
    ----------
    table : DataFrame
        Rows of :func:`spinexplain.reproduce.mask_errors.stated`, judged.

    Returns
    -------
    dict
        Condition -> ``vertebrae`` ([fractured, healthy]; mild ones are left out) and, by
        witness, ``found`` and ``alarms`` ([count, of]) and ``auc`` with its interval over
        persons. Who says nothing has found nothing and raised no alarm.
    """
    used = table[table["grade"] != 1]
    groups = used.groupby("condition", sort=False)
    return {str(name): _figures(rows) for name, rows in groups}


def _figures(rows: pd.DataFrame) -> dict[str, Any]:
    fractured = (rows["grade"] >= 2).to_numpy()
    found: dict[str, Any] = {"vertebrae": [int(fractured.sum()), int((~fractured).sum())]}
    for name, called in CALLS.items():
        alarm = called(rows).to_numpy(bool)
        found[name] = {
            "found": [int((alarm & fractured).sum()), int(fractured.sum())],
            "alarms": [int((alarm & ~fractured).sum()), int((~fractured).sum())],
        }
    for name, column in SCORES.items():
        scores = rows[column].astype(float)
        found[name]["silent"] = [int(scores.isna().sum()), len(scores)]
        found[name]["auc"] = _auc_interval(scores, fractured, rows["subject"].to_numpy(str))
    return found


CALLS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "heights": lambda rows: rows["measured_loss"].astype(float) >= CALLED_LOSS,
    "sheets": lambda rows: ~rows["called"].isin(["", "G0"]),
    "boxes": lambda rows: rows["detector"].astype(float) > 0,
    "verdict": lambda rows: rows["verdict_together"] == SUSPECTED,
    "verdict or borderline": lambda rows: rows["verdict_together"].isin([SUSPECTED, BORDERLINE]),
}
"""Who calls a vertebra fractured, by name."""


def _auc_interval(scores: pd.Series, fractured: np.ndarray, subjects: np.ndarray) -> dict[str, Any]:
    ranked = scores.fillna(-1e9).to_numpy()
    found = asdict(
        subject_bootstrap(lambda rows: auc(ranked[rows], fractured[rows]), subjects, 0, DRAWS)
    )
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in found.items()
    }


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the curve, ties counted half; NaN without both kinds.

    Examples
    --------
    >>> auc(np.array([0.1, 0.4, 0.4]), np.array([False, False, True]))
    0.75
    """
    from scipy.stats import rankdata

    count = int(positive.sum())
    if count in (0, len(positive)):
        return float("nan")
    above = rankdata(scores)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))


def by_look_alike(table: pd.DataFrame, condition: str) -> dict[str, dict[str, list[int]]]:
    """Count false alarms among healthy vertebrae with each look-alike, by witness.

    Parameters
    ----------
    table : DataFrame
    condition : str
        The mask they are judged by.

    Returns
    -------
    dict
        Look-alike -> witness -> [alarms, of]; with several look-alikes one counts in each.
    """
    rows = table[(table["condition"] == condition) & (table["grade"] == 0)]
    kinds = rows["look_alikes"].fillna("").str.split(",")
    found = {}
    for kind in sorted({kind for listed in kinds for kind in listed}):
        mine = rows[[kind in listed for listed in kinds]]
        found[kind or "none"] = {
            name: [int(called(mine).sum()), len(mine)] for name, called in CALLS.items()
        }
    return found


def caught(table: pd.DataFrame, condition: str) -> dict[str, dict[str, int]]:
    """Say what the verdict calls the mistakes of the network on sheets.

    Returns
    -------
    dict
        ``"false alarms"`` and ``"misses"`` -> state of the verdict from all witnesses -> count.
    """
    rows = table[(table["condition"] == condition) & (table["called"] != "")]
    alarm = CALLS["sheets"](rows)
    groups = {
        "false alarms": rows[(rows["grade"] == 0) & alarm],
        "misses": rows[(rows["grade"] >= 2) & ~alarm],
    }
    return {
        name: {str(k): int(v) for k, v in chosen["verdict_together"].value_counts().items()}
        for name, chosen in groups.items()
    }
