"""How often sets of grades hold the true one on spines that did not calibrate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.severity import COVERAGE, IMAGE, calibrated, scores
from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.findings.grade_set import SeverityScale, departures, widened
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES, SEVERE, WITNESSES

Sets = list[tuple[str, ...]]


def heard(row: Mapping[Any, Any], using: Sequence[str]) -> str:
    """Name the scale of a row: the witnesses that speak, joined; empty where none does."""
    return "+".join(
        name for name in WITNESSES if name in using and np.isfinite(row.get(name, np.nan))
    )


def graded_sets(
    table: pd.DataFrame,
    scales: Mapping[str, SeverityScale],
    using: Sequence[str] = (PROTOTYPES, HEIGHTS),
) -> Sets:
    """Return the set of every row by the witnesses that speak there.

    Parameters
    ----------
    table : DataFrame
        Rows where something speaks.
    scales : mapping of str to SeverityScale
    using : sequence of str
        Witnesses that are heard.
    """
    found: Sets = [()] * len(table)
    by_scale = pd.Series([heard(row, using) for row in table.to_dict("records")])
    for name in by_scale.unique():
        at = np.flatnonzero(by_scale == name)
        values = scores(scales[name], table.iloc[at])
        for n, value in zip(at, values, strict=True):
            found[n] = scales[name].grades(float(value))
    return found


def is_beyond(table: pd.DataFrame, image: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """Say of every row whether a term of the image lies beyond its usual range."""
    return np.array([bool(_beyond(row, image)) for row in table.to_dict("records")], bool)


def _beyond(row: Mapping[Any, Any], image: Mapping[str, tuple[float, float]]) -> list[str]:
    terms = {name: row[IMAGE + name] for name in image}
    return [one.term for one in departures(terms, image)]


def beyond_terms(table: pd.DataFrame, image: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """Count the rows in which each term lies beyond its range."""
    found = [name for row in table.to_dict("records") for name in _beyond(row, image)]
    return {name: found.count(name) for name in image}


def widened_where(sets: Sets, beyond: np.ndarray) -> Sets:
    """Widen the sets of the rows that are beyond."""
    return [widened(one) if far else one for one, far in zip(sets, beyond, strict=True)]


def coverage_figures(table: pd.DataFrame, sets: Sets) -> dict[str, Any]:
    """Count by true grade how often the set holds it, and how large sets are.

    Returns
    -------
    dict
        ``covered`` (grade -> ``[count, of]``), ``sizes`` (size -> count), ``single_right``
        (sets of one grade that are right, of all sets of one grade).
    """
    names = [GENANT_GRADES[grade] for grade in table["grade"]]
    hits = np.array([name in one for name, one in zip(names, sets, strict=True)], bool)
    sizes = np.array([len(one) for one in sets], int)
    of_grade = {name: np.array([own == name for own in names], bool) for name in GENANT_GRADES}
    return {
        "covered": {n: [int((hits & at).sum()), int(at.sum())] for n, at in of_grade.items()},
        "sizes": {str(size): int((sizes == size).sum()) for size in range(1, 5)},
        "single_right": [int((hits & (sizes == 1)).sum()), int((sizes == 1).sum())],
    }


def crossed_sets(
    table: pd.DataFrame,
    scales: Mapping[str, SeverityScale],
    using: Sequence[str] = (PROTOTYPES, HEIGHTS),
    coverage: float = COVERAGE,
) -> Sets:
    """Give the sets of calibrating spines by ranges from the other half of them.

    Parameters
    ----------
    table : DataFrame
        Rows of calibrating spines; halves are of persons, turn by turn.
    scales : mapping of str to SeverityScale
        Weights alone count.
    """
    half = half_of(table)
    found: Sets = [()] * len(table)
    for own in (0, 1):
        ranged = calibrated(scales, table[half != own], coverage)
        at = np.flatnonzero(half == own)
        for n, one in zip(at, graded_sets(table.iloc[at], ranged, using), strict=True):
            found[n] = one
    return found


def half_of(table: pd.DataFrame) -> np.ndarray:
    """Deal persons out to two halves, preset by preset; 0 or 1 a row."""
    people = table[["group", "subject"]].drop_duplicates().sort_values(["group", "subject"])
    turn = people.groupby("group").cumcount() % 2
    return table["subject"].map(dict(zip(people["subject"], turn, strict=True))).to_numpy(int)


def sets_by_score(table: pd.DataFrame, coverage: float = COVERAGE) -> Sets:
    """Return what the network's own scores would give: the cheap opponent.

    Grades are taken by falling score until they hold ``coverage``, then those between them.

    Parameters
    ----------
    table : DataFrame
        Rows where the network speaks; its scores come back from its mean log odds.
    coverage : float
    """
    fracture, severe = (
        1 / (1 + np.exp(-table[name].to_numpy(float))) for name in (PROTOTYPES, PROTOTYPES + SEVERE)
    )
    rest = np.maximum(fracture - severe, 0.0)
    rows = np.column_stack([1 - fracture, np.zeros(len(table)), rest, severe])
    return [_by_score(row, coverage) for row in rows / rows.sum(axis=1, keepdims=True)]


def _by_score(row: np.ndarray, coverage: float) -> tuple[str, ...]:
    order = np.argsort(-row, kind="stable")
    taken = order[: int(np.searchsorted(np.cumsum(row[order]), coverage) + 1)]
    return GENANT_GRADES[min(taken) : max(taken) + 1]
