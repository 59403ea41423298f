"""What the verdict is worth on spines that it was not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    NOT_ASSESSABLE,
    SUSPECTED,
    Verdict,
    judge,
)
from spinexplain.findings.weighing import VerdictCalibration
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES, Witness

_MIDDLE = (BORDERLINE, MILD, DEFORMITY)


def judged(
    table: pd.DataFrame,
    calibration: VerdictCalibration,
    using: tuple[str, ...] = (PROTOTYPES, HEIGHTS),
) -> pd.Series:
    """Give the verdict on every row of a table of witnesses.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.
    calibration : VerdictCalibration
    using : tuple of str
        The witnesses that are heard; one alone is an opponent of all together.

    Returns
    -------
    Series of str
        States; *not assessable* where the network refuses.
    """
    return pd.Series(
        [_verdict(row, calibration, using).state for row in table.to_dict("records")],
        index=table.index,
    )


def judged_fully(table: pd.DataFrame, calibration: VerdictCalibration) -> list[Verdict]:
    """Give the verdict of all witnesses on every row, with the rule that decided.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`.
    calibration : VerdictCalibration
    """
    using = (PROTOTYPES, HEIGHTS)
    return [_verdict(row, calibration, using) for row in table.to_dict("records")]


def _verdict(
    row: Mapping[Any, Any], calibration: VerdictCalibration, using: tuple[str, ...]
) -> Verdict:
    if row["refusal"]:
        return Verdict(NOT_ASSESSABLE)
    model = calibration.models.get(PROTOTYPES, "")
    spoken = []
    if PROTOTYPES in using and np.isfinite(row["prototypes"]):
        spread = float(row["prototypes_spread"])
        spoken.append(Witness(PROTOTYPES, float(row["prototypes"]), spread, model))
    if HEIGHTS in using and np.isfinite(row["heights"]):
        spoken.append(Witness(HEIGHTS, float(row["heights"])))
    measured = HEIGHTS in using and np.isfinite(row["measured_loss"])
    loss = float(row["measured_loss"]) if measured else None
    return judge(spoken, calibration, loss, deformity=row["deformity"] or None)


def verdict_figures(table: pd.DataFrame, states: pd.Series) -> dict[str, Any]:
    """Count what the verdict says of normal spines, of normal and of fractured vertebrae.

    Returns
    -------
    dict
        Pairs ``[count, of]``: ``false_alarm_spines`` (normal spines with a suspected
        fracture), ``middle_of_normal`` (normal vertebrae that are borderline, mild or
        deformed), ``mild_unsuspicious`` (grade 1 without suspicion), and for grades 2 and 3
        ``suspected`` and ``noticed`` (suspected or borderline); ``states`` by true grade.
    """
    assessable = states != NOT_ASSESSABLE
    suspected = states == SUSPECTED
    normal_spines = table[table["normal"]].groupby("subject")
    alarms = [bool(suspected[rows.index].any()) for _, rows in normal_spines]
    grade = table["grade"]
    figures: dict[str, Any] = {
        "spines": int(table["subject"].nunique()),
        "not_assessable": [int((~assessable).sum()), len(table)],
        "false_alarm_spines": [sum(alarms), len(alarms)],
        "middle_of_normal": _share(states.isin(_MIDDLE), (grade == 0) & assessable),
        "mild_unsuspicious": _share(states == "no suspicion", (grade == 1) & assessable),
        "states": {
            str(g): {str(k): int(v) for k, v in states[grade == g].value_counts().items()}
            for g in sorted(grade.unique())
        },
    }
    for g in (2, 3):
        of = (grade == g) & assessable
        figures[f"g{g}_suspected"] = _share(suspected, of)
        figures[f"g{g}_noticed"] = _share(suspected | (states == BORDERLINE), of)
    return figures


def same_by_every_route(table: pd.DataFrame, states: pd.Series) -> list[int]:
    """Count vertebrae whose verdict is the same by labels, centroids and both.

    Returns
    -------
    list of 2 ints
        How many, of how many.
    """
    wide = table.assign(state=states).pivot_table(
        index=["subject", "level"], columns="route", values="state", aggfunc="first"
    )
    complete = wide.dropna()
    return [int((complete.nunique(axis=1) == 1).sum()), len(complete)]


def _share(chosen: pd.Series, of: pd.Series) -> list[int]:
    return [int((chosen & of).sum()), int(of.sum())]
