"""Does the network use the units that a ranking puts first? They are silenced together."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinexplain.explainers.dissection.effect import silenced_log_odds
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.models.grader import Grader
from spinexplain.reproduce.dissection.evidence import TOP, Units
from spinexplain.reproduce.dissection.intervals import between, draws

RANKINGS = ("contrast", "eq1")
GROUPS = 20


def use_of_units(
    grader: Grader, samples: Samples, units: Units, levels: np.ndarray, layer: str = "trunk"
) -> dict[str, Any]:
    """Measure what silencing the first ten units costs, by two rankings and drawn at random."""
    odds = silenced_together(grader, samples, units, levels, layer)
    lost = odds[:, :1] - odds[:, 1:]
    found: dict[str, Any] = {"auc": auc_of(odds[:, 0], units), "groups": GROUPS}
    for place, by in enumerate(RANKINGS):
        found[by] = cost_of(odds[:, 1 + place], lost[:, place], units)
    at_random = slice(len(RANKINGS), None)
    found["random"] = cost_of(odds[:, 1:][:, at_random], lost[:, at_random], units)
    found["difference"] = {
        "random": lost_difference(lost[:, 0], lost[:, at_random].mean(axis=1), units),
        "eq1": lost_difference(lost[:, 0], lost[:, 1], units),
    }
    return found


def silenced_together(
    grader: Grader, samples: Samples, units: Units, levels: np.ndarray, layer: str
) -> np.ndarray:
    """Return the log odds of fracture as they are and with units silenced, (N, 1 + 2 + GROUPS).

    Silenced are the first ten by each of :data:`RANKINGS`, then ten drawn from all that are not
    first by contrast, ``GROUPS`` times.
    """
    named = [units.top(by).tolist() for by in RANKINGS]
    rng = np.random.default_rng(2)
    others = np.setdiff1d(np.flatnonzero(units.ranked), named[0])
    chance = [rng.choice(others, TOP, replace=False).tolist() for _ in range(GROUPS)]
    healthy = grader.task.healthy_index
    return np.stack(
        [
            silenced_log_odds(grader.model, layer, x, [*named, *chance], levels, healthy)
            for x in samples.batches(1, grader.device)
        ]
    )


def cost_of(odds: np.ndarray, lost: np.ndarray, units: Units) -> dict[str, float]:
    """Return AUC without the units, and the log odds lost in fractured and in healthy."""
    columns = odds.reshape(len(odds), -1).T
    return {
        "auc": float(np.mean([auc_of(column, units) for column in columns])),
        "fractured": float(lost[units.positive].mean()),
        "healthy": float(lost[~units.positive].mean()),
    }


def auc_of(odds: np.ndarray, units: Units) -> float:
    """Return the area under the curve of the network's log odds."""
    return float(auc(odds[:, None], units.positive)[0])


def lost_difference(one: np.ndarray, other: np.ndarray, units: Units) -> dict[str, float]:
    """Return how much more log odds fractured vertebrae lose without one group than another."""

    def difference(times: np.ndarray) -> float:
        weight = times * units.positive
        return float(weight @ (one - other) / weight.sum())

    return between([difference(t) for t in draws(units)], difference(np.ones(len(one))))
