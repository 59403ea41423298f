"""What the verdict is worth on spines that it was not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.fit import SPREAD
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    NO_SUSPICION,
    NOT_ASSESSABLE,
    SUSPECTED,
    Verdict,
    judge,
)
from spinexplain.findings.weighing import VerdictCalibration
from spinexplain.findings.witness import BROAD, DETECTOR, HEIGHTS, PROTOTYPES, Witness

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
    found = judged_fully(table, calibration, using)
    return pd.Series([one.state for one in found], index=table.index, dtype=object)


def judged_fully(
    table: pd.DataFrame,
    calibration: VerdictCalibration,
    using: tuple[str, ...] = (PROTOTYPES, HEIGHTS),
) -> list[Verdict]:
    """Give the verdict on every row, with its log odds and the rule that decided.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~spinexplain.analysis.verdict.table.witness_table`; a detector is heard where
        the table has its column.
    calibration : VerdictCalibration
    using : tuple of str
        The witnesses that are heard.
    """
    return [_verdict(row, calibration, using) for row in table.to_dict("records")]


def _verdict(
    row: Mapping[Any, Any], calibration: VerdictCalibration, using: tuple[str, ...]
) -> Verdict:
    if row["refusal"]:
        return Verdict(NOT_ASSESSABLE)
    spoken = []
    for name in (PROTOTYPES, DETECTOR):
        if name in using and np.isfinite(row[name]):
            spread = float(row.get(name + SPREAD, 0.0))
            model = calibration.models.get(name, "")
            spoken.append(Witness(name, float(row[name]), spread, model))
    if HEIGHTS in using and np.isfinite(row["heights"]):
        broad = row.get(HEIGHTS + BROAD, np.nan)
        known = float(broad) if np.isfinite(broad) else None
        spoken.append(Witness(HEIGHTS, float(row["heights"]), broad=known))
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
    grade = table["grade"]
    counts = spine_counts(table, states)
    return {
        "spines": len(counts),
        "not_assessable": [int((~assessable).sum()), len(table)],
        **{name: [int(counts[name].sum()), int(counts[name + OF].sum())] for name in COUNTED},
        "states": {
            str(g): {str(k): int(v) for k, v in states[grade == g].value_counts().items()}
            for g in sorted(grade.unique())
        },
    }


COUNTED = (
    "false_alarm_spines",
    "middle_of_normal",
    "mild_unsuspicious",
    "g2_suspected",
    "g2_noticed",
    "g3_suspected",
    "g3_noticed",
)
OF = "_of"
"""Ending of the columns with what is counted among."""


def spine_counts(table: pd.DataFrame, states: pd.Series) -> pd.DataFrame:
    """Count the same figures spine by spine.

    Returns
    -------
    DataFrame
        A row a subject, sorted; for each of :data:`COUNTED` a column with the count and one,
        ending in ``_of``, with what it is counted among.
    """
    grade, assessable = table["grade"], states != NOT_ASSESSABLE
    suspected = states == SUSPECTED
    noticed = suspected | (states == BORDERLINE)
    chosen = {
        "middle_of_normal": (states.isin(_MIDDLE), grade == 0),
        "mild_unsuspicious": (states == NO_SUSPICION, grade == 1),
        "g2_suspected": (suspected, grade == 2),
        "g2_noticed": (noticed, grade == 2),
        "g3_suspected": (suspected, grade == 3),
        "g3_noticed": (noticed, grade == 3),
    }
    columns = {}
    for name, (said, of) in chosen.items():
        columns[name], columns[name + OF] = said & of & assessable, of & assessable
    by_spine = pd.DataFrame(columns).astype(int).groupby(table["subject"])
    normal = table["normal"].astype(bool).groupby(table["subject"]).any()
    alarmed = suspected.groupby(table["subject"]).any() & normal
    alarms = pd.DataFrame({"false_alarm_spines": alarmed, f"false_alarm_spines{OF}": normal})
    return by_spine.sum().join(alarms.astype(int))


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
