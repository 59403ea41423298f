"""From answers about single vertebrae to how often the right side was named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.evaluate.explanations.placement import placement
from spinexplain.findings.sides import left_minus_right

CHOICES = (
    *((4.0,), (8.0,), (12.0,), (16.0,), (4.0, 8.0), (8.0, 12.0), (12.0, 16.0)),
    *((4.0, 8.0, 12.0), (8.0, 12.0, 16.0), (4.0, 8.0, 12.0, 16.0)),
)
"""Distances of the sheets that validation chooses from."""

LEASTS = tuple(round(0.1 * k, 1) for k in range(1, 16))
MOST_STRAIGHT = 0.10
"""A side may be named in this share of the straight fractures of validation."""

ONE_SIDED, STRAIGHT = 0.2, 0.1
"""Difference of what moved left and right, over their sum: at least, and at most."""

Row = Mapping[str, Any]


def lean(row: Row) -> float:
    """Return how one-sided a fracture is, -1 to 1; positive to the left.

    Examples
    --------
    >>> lean({"moved_mm": (3.0, 1.0)})
    0.5
    """
    left, right = row["moved_mm"]
    return (left - right) / max(left + right, 1e-9)


def one_sided(rows: Sequence[Row]) -> list[Row]:
    """Return the fractures that sank clearly more on one side."""
    return [row for row in rows if sum(row["moved_mm"]) > 0 and abs(lean(row)) >= ONE_SIDED]


def straight(rows: Sequence[Row]) -> list[Row]:
    """Return the fractures about as deep left as right that the network calls fractured."""
    return [
        row
        for row in rows
        if sum(row["moved_mm"]) > 0 and abs(lean(row)) < STRAIGHT and row["called"]
    ]


def difference(row: Row, offsets_mm: Sequence[float], key: str = "grades") -> float:
    """Return left minus right of a vertebra's sheets at some distances."""
    used = [k for k, at in enumerate(row["offsets_mm"]) if abs(at) in offsets_mm]
    return left_minus_right([row["offsets_mm"][k] for k in used], [row[key][k] for k in used])


def right_side(rows: Sequence[Row], differences: Sequence[float]) -> list[float]:
    """Return how often the graver side is the right one, with its interval by person.

    Both sides count the same; where the difference is 0 each side has half of the choice.
    """
    signs = np.sign(np.asarray(differences, float))
    choices = np.stack([(1 + signs) / 2, (1 - signs) / 2], axis=1)
    truth = np.array([0 if lean(row) > 0 else 1 for row in rows])
    whose = np.array([row["subject"] for row in rows])
    found = subject_bootstrap(lambda k: placement(choices[k], truth[k]), whose, 0)
    return [round(float(x), 4) for x in (found.value, found.low, found.high)]


def share_named(rows: Sequence[Row], offsets_mm: Sequence[float], least: float) -> float:
    """Return in which share of vertebrae a side is named; 0 where there are none."""
    named = [abs(difference(row, offsets_mm)) >= least for row in rows]
    return round(float(np.mean(named)), 4) if named else 0.0


def chosen_on(rows: Sequence[Row]) -> dict[str, Any]:
    """Choose distances and the least difference on validation.

    For each of ``CHOICES`` the least difference is the smallest of ``LEASTS`` at which a side
    is named in at most ``MOST_STRAIGHT`` of straight fractures; the choice is the one that
    then names the right side in the largest share of one-sided fractures, the first of equals.
    """
    sided, even = one_sided(rows), straight(rows)
    tried: list[dict[str, Any]] = []
    for offsets in CHOICES:
        least = next(
            (t for t in LEASTS if share_named(even, offsets, t) <= MOST_STRAIGHT), LEASTS[-1]
        )
        found = [difference(row, offsets) for row in sided]
        hit = [abs(d) >= least and d * lean(row) > 0 for d, row in zip(found, sided, strict=True)]
        tried.append(
            {
                "offsets_mm": list(offsets),
                "least": least,
                "right": right_side(sided, found),
                "named_right": round(float(np.mean(hit)), 4),
                "straight_named": share_named(even, offsets, least),
            }
        )
    best = max(tried, key=lambda one: one["named_right"])
    counts = {"one_sided": len(sided), "straight": len(even)}
    return {**best, "validation": {**counts, "tried": tried}}


def opponents(rows: Sequence[Row], offsets_mm: Sequence[float]) -> dict[str, list[float]]:
    """Return how often each way of asking chooses the right side, on the same fractures."""
    found = {
        "grades": [difference(row, offsets_mm) for row in rows],
        "map": [difference(row, offsets_mm, "strengths") for row in rows],
        "image-blind": [0.0 for _ in rows],
        "heights": [_lower_left(row["heights_mm"]) for row in rows],
        "detector": [_more_left(row["detector"]) for row in rows],
    }
    return {name: right_side(rows, values) for name, values in found.items()}


def _lower_left(heights_mm: Sequence[float] | None) -> float:
    return 0.0 if heights_mm is None else heights_mm[1] - heights_mm[0]


def _more_left(halves: Sequence[float] | None) -> float:
    return 0.0 if halves is None else halves[0] - halves[1]


def by_lean(rows: Sequence[Row], offsets_mm: Sequence[float]) -> list[dict[str, Any]]:
    """Return how often the right side is chosen by how one-sided the fractures are."""
    edges = (0.0, 0.1, 0.2, 0.3, 1.0)
    fractures = [row for row in rows if sum(row["moved_mm"]) > 0]
    found = []
    for low, high in pairwise(edges):
        some = [row for row in fractures if low <= abs(lean(row)) < high]
        right = [difference(row, offsets_mm) * lean(row) > 0 for row in some]
        share = round(float(np.mean(right)), 4) if some else None
        found.append({"from": low, "to": high, "fractures": len(some), "right": share})
    return found


def figures_of(
    validation: Mapping[str, Sequence[Row]], test: Mapping[str, Sequence[Row]]
) -> dict[str, Any]:
    """Return everything that is stored: what was chosen, and the test beside its opponents."""
    chosen = chosen_on([row for rows in validation.values() for row in rows])
    offsets, least = chosen["offsets_mm"], chosen["least"]
    every = [row for rows in test.values() for row in rows]
    sided, even = one_sided(test["one-sided"]), straight(test["straight"])
    named = [row for row in sided if abs(difference(row, offsets)) >= least]
    healthy = [row for row in every if sum(row["moved_mm"]) == 0]
    truths = [lean(row) > 0 for row in sided]
    return {
        "chosen": chosen,
        "test": {
            "persons": len({row["subject"] for row in every}),
            "one_sided": {"left": sum(truths), "right": len(truths) - sum(truths)},
            "right": opponents(sided, offsets),
            "named": share_named(sided, offsets, least),
            "right_of_named": round(
                float(np.mean([difference(row, offsets) * lean(row) > 0 for row in named])), 4
            )
            if named
            else 0.0,
            "straight": len(even),
            "straight_named": share_named(even, offsets, least),
            "healthy": len(healthy),
            "healthy_named": share_named(healthy, offsets, least),
            "by_lean": by_lean(every, offsets),
        },
    }
