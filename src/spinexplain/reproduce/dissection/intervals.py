"""Effect sizes and intervals: subjects are resampled, never vertebrae or units alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spinexplain.reproduce.dissection.evidence import Units

DRAWS = 500


def spread(values: np.ndarray) -> dict[str, float]:
    """Return mean, median and quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    found = {"mean": values.mean(), "median": middle, "low": low, "high": high}
    return {name: float(value) for name, value in found.items()}


def cliffs_delta(one: np.ndarray, other: np.ndarray) -> float:
    """Return how much more often a value of one is above one of the other than below.

    Examples
    --------
    >>> cliffs_delta(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.75
    """
    order = np.sort(other)
    below = np.searchsorted(order, one, side="left").sum()
    above = (len(other) - np.searchsorted(order, one, side="right")).sum()
    return float((below - above) / (len(one) * len(other)))


def draws(units: Units, count: int = DRAWS, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield how often each vertebra is taken when subjects are drawn with replacement."""
    rng = np.random.default_rng(seed)
    persons = int(units.subjects.max()) + 1
    for _ in range(count):
        times = rng.multinomial(persons, np.full(persons, 1 / persons))[units.subjects]
        sick = (times * units.positive).sum()
        if 0 < sick < times.sum():
            yield times.astype(float)


def between(values: list[float], estimate: float) -> dict[str, float]:
    """Return an estimate with its 95 % percentile interval."""
    low, high = np.percentile(values, [2.5, 97.5])
    return {"mean": float(estimate), "low": float(low), "high": float(high)}


def effect(trained: Units, random: list[Units], what: str, top: bool = False) -> dict[str, float]:
    """Return Cliff's delta of the overlap (``iou`` or ``share``) of trained and other units.

    Each draw takes other subjects, the same for all networks, and other untrained networks;
    with ``top`` the ten first units are chosen anew in each.
    """
    rng = np.random.default_rng(1)

    def overlap(units: Units, times: np.ndarray | None) -> np.ndarray:
        values = units.overlap(what, times)
        return values[units.top("contrast", times)] if top else values

    def delta(times: np.ndarray | None, chosen: list[Units]) -> float:
        return cliffs_delta(
            overlap(trained, times), np.concatenate([overlap(one, times) for one in chosen])
        )

    found = [
        delta(times, [random[i] for i in rng.integers(len(random), size=len(random))])
        for times in draws(trained)
    ]
    return between(found, delta(None, random))


def top_difference(units: Units) -> dict[str, float]:
    """Return how much more evidence the first ten hold by contrast than by eq. 1."""

    def difference(times: np.ndarray | None) -> float:
        overlap = units.iou(times)
        first, printed = (overlap[units.top(by, times)].mean() for by in ("contrast", "eq1"))
        return float(first - printed)

    return between([difference(times) for times in draws(units)], difference(None))
