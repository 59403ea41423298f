"""Which units go with what the model found, with its false alarms, and with what it missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spinexplain.explainers.dissection.explain import unit_title
from spinexplain.explainers.dissection.record import Dissection

UNITS_LISTED = 5

# Statistic of a unit, and what counts the vertebrae behind it.
_GROUPS = {
    "true_positive": "true_positives",
    "false_positive": "false_positives",
    "false_negative": "false_negatives",
}


@dataclass(frozen=True)
class Tie:
    """A unit, and how many percentage points more often it is enabled in a group."""

    unit: int
    title: str
    rank: int
    points: float


@dataclass(frozen=True)
class OutcomeTies:
    """The units most tied to one outcome.

    Parameters
    ----------
    outcome : str
        ``"true_positive"``, ``"false_positive"`` or ``"false_negative"``.
    vertebrae : int
        With this outcome.
    ties : tuple of Tie
        Strongest first; units that are not enabled more often are left out.
    """

    outcome: str
    vertebrae: int
    ties: tuple[Tie, ...]


def outcome_ties(dissection: Dissection, count: int = UNITS_LISTED) -> tuple[OutcomeTies, ...]:
    """List the units most tied to each outcome.

    Parameters
    ----------
    dissection : Dissection
    count : int
        Units of each, at most.
    """
    return tuple(
        OutcomeTies(
            outcome,
            int(str(dissection.facts[counted])),
            tuple(_ties(dissection, getattr(dissection.statistics, outcome), count)),
        )
        for outcome, counted in _GROUPS.items()
    )


def _ties(dissection: Dissection, more_often: np.ndarray, count: int) -> Iterator[Tie]:
    rank = dissection.statistics.rank
    values = np.where((rank > 0) & np.isfinite(more_often), more_often, 0.0)
    for unit in np.lexsort((rank, -values))[:count]:
        if values[unit] > 0:
            title = unit_title(dissection, int(unit))
            yield Tie(int(unit), title, int(rank[unit]), 100 * float(values[unit]))
