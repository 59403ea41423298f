"""Areas under the curve of networks that were trained several times, and how they differ.

A draw takes persons with repeats, the same for all networks, and of every network on its own
its trainings with repeats: intervals hold what tests and trainings vary by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from spinexplain.reproduce.dissection.intervals import between

DRAWS, SEED = 1000, 5


def compared_areas(
    odds: Mapping[str, Sequence[np.ndarray]], positive: np.ndarray, subjects: np.ndarray
) -> dict[str, Any]:
    """Return the area of every network and the difference of every two, with intervals.

    Parameters
    ----------
    odds : mapping of str to sequence of ndarray, shape (N,)
        By network the scores of each training; any monotonous scale.
    positive : ndarray of bool, shape (N,)
    subjects : ndarray of str, shape (N,)

    Returns
    -------
    dict
        ``means`` by network: ``mean``, ``low``, ``high``, ``by_training``. ``differences`` by
        ``"one - other"``: ``mean``, ``low``, ``high``, and ``floor``, the largest difference of two
        trainings of the same network.
    """
    single = {name: [area(one, positive) for one in made] for name, made in odds.items()}
    rows = list(_drawn(odds, positive, subjects))
    values = {name: [row[name] for row in rows] for name in odds}
    means = {
        name: between(values[name], float(np.mean(single[name]))) | {"by_training": single[name]}
        for name in odds
    }
    return {
        "means": means,
        "differences": {
            f"{one} - {other}": between(
                list(np.subtract(values[one], values[other])),
                float(np.mean(single[one]) - np.mean(single[other])),
            )
            | {"floor": float(max(np.ptp(single[one]), np.ptp(single[other])))}
            for one, other in combinations(odds, 2)
        },
    }


def area(scores: np.ndarray, positive: np.ndarray, times: np.ndarray | None = None) -> float:
    """Return the area under the curve of vertebrae taken so many times, ties counting half.

    Examples
    --------
    >>> area(np.array([0.0, 1.0, 1.0]), np.array([False, False, True]))
    0.75
    """
    w = np.ones(len(scores)) if times is None else times
    levels, at = np.unique(scores, return_inverse=True)
    sick = np.bincount(at, w * positive, len(levels))
    well = np.bincount(at, w * ~positive, len(levels))
    below = np.cumsum(well) - well
    return float(sick @ (below + well / 2) / (sick.sum() * well.sum()))


def _drawn(
    odds: Mapping[str, Sequence[np.ndarray]], positive: np.ndarray, subjects: np.ndarray
) -> Iterator[dict[str, float]]:
    """Yield one area a network, of persons and trainings taken again."""
    rng = np.random.default_rng(SEED)
    person = np.unique(subjects, return_inverse=True)[1]
    count = int(person.max()) + 1
    for _ in range(DRAWS):
        times = rng.multinomial(count, np.full(count, 1 / count))[person].astype(float)
        again = {name: rng.integers(len(made), size=len(made)) for name, made in odds.items()}
        if not 0 < times @ positive < times.sum():
            continue
        yield {
            name: float(np.mean([area(made[k], positive, times) for k in again[name]]))
            for name, made in odds.items()
        }
