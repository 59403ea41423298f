"""Intervals by drawing subjects again: vertebrae of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ShapeError

FEWEST_SUBJECTS = 10
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Parameters
    ----------
    value : float
        On the whole set.
    low, high : float
        Percentile interval over draws of subjects; NaN where it was not computed.
    note : str
        Why there is no interval; empty where there is one.
    """

    value: float
    low: float
    high: float
    note: str = ""


Figure = Callable[[np.ndarray], float]
"""Takes row numbers (with repeats) and returns the figure of these rows."""


def subject_draws(subjects: np.ndarray, seed: int, draws: int = DRAWS) -> list[np.ndarray]:
    """Draw as many subjects as there are, with repeats; return the rows of every draw.

    Parameters
    ----------
    subjects : ndarray of str, shape (n,)
    seed : int
    draws : int
    """
    _, member = np.unique(subjects, return_inverse=True)
    order = np.argsort(member, kind="stable")
    sizes = np.bincount(member)
    starts = np.cumsum(sizes) - sizes
    rng = np.random.default_rng([seed, 11])
    picks = rng.integers(len(sizes), size=(draws, len(sizes)))
    return [order[_runs(starts[pick], sizes[pick])] for pick in picks]


def _runs(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return start, start + 1, ... of every run after one another.

    Examples
    --------
    >>> _runs(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(sizes)
    return np.arange(ends[-1]) + np.repeat(starts - ends + sizes, sizes)


def subject_bootstrap(
    figure: Figure,
    subjects: np.ndarray,
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Put a percentile interval around a figure by drawing subjects.

    Parameters
    ----------
    figure : callable
        ``figure(rows)``; NaN draws (a class is missing) are left out.
    subjects : ndarray of str, shape (n,)
    seed : int
        Same seed, same draws: two models on one set are compared on the same draws.
    draws : int
    level : float

    Returns
    -------
    Interval
        Without bounds, and with the reason, under ten subjects.

    Raises
    ------
    ShapeError
        If there is no row.

    Examples
    --------
    >>> right = np.repeat([1.0, 0.0], 30)
    >>> found = subject_bootstrap(lambda rows: right[rows].mean(), np.arange(60).astype(str), 0)
    >>> found.value, bool(0.35 < found.low < 0.45), bool(0.55 < found.high < 0.65)
    (0.5, True, True)
    """
    if not len(subjects):
        raise ShapeError("a bootstrap needs rows; got none. Check which vertebrae were graded.")
    value = float(figure(np.arange(len(subjects))))
    if (few := _too_few(value, subjects)) is not None:
        return few
    drawn = np.array([figure(rows) for rows in subject_draws(subjects, seed, draws)])
    return _percentiles(value, drawn, level)


WeightedFigure = Callable[[np.ndarray], np.ndarray]
"""Takes how often each row was drawn, (draws, n), and returns the figure of every draw."""


def weighted_bootstrap(
    figure: WeightedFigure,
    subjects: np.ndarray,
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Put a percentile interval around a figure that is made of sums over rows.

    The draws are those of :func:`subject_bootstrap`, all computed at once: hundreds of times
    as fast for means.

    Parameters
    ----------
    figure : callable
        From weights (draws, n) to figures (draws,); NaN draws are left out.
    subjects : ndarray of str, shape (n,)
    seed : int
    draws : int
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ShapeError
        If there is no row.

    Examples
    --------
    >>> right = np.repeat([1.0, 0.0], 30)
    >>> mean = lambda weights: weights @ right / weights.sum(axis=1)
    >>> weighted_bootstrap(mean, np.arange(60).astype(str), 0).value
    0.5
    """
    n = len(subjects)
    if not n:
        raise ShapeError("a bootstrap needs rows; got none. Check which vertebrae were graded.")
    value = float(figure(np.ones((1, n)))[0])
    if (few := _too_few(value, subjects)) is not None:
        return few
    weights = [np.bincount(rows, minlength=n) for rows in subject_draws(subjects, seed, draws)]
    return _percentiles(value, figure(np.array(weights, float)), level)


def _too_few(value: float, subjects: np.ndarray) -> Interval | None:
    """Return the figure without bounds where there are too few subjects for any."""
    count = len(np.unique(subjects))
    if count >= FEWEST_SUBJECTS:
        return None
    note = f"no interval: {count} subjects, expected at least {FEWEST_SUBJECTS}"
    return Interval(value, float("nan"), float("nan"), note)


def _percentiles(value: float, drawn: np.ndarray, level: float) -> Interval:
    draws, drawn = len(drawn), drawn[np.isfinite(drawn)]
    if len(drawn) < draws / 2:
        return Interval(value, float("nan"), float("nan"), "no interval: a class is too rare")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def paired_difference(
    first: Figure, second: Figure, subjects: np.ndarray, seed: int, draws: int = DRAWS
) -> Interval:
    """Put an interval around first - second, both on the same drawn subjects.

    Arguments as for :func:`subject_bootstrap`; the rows of both must be the same vertebrae
    in the same order.
    """
    return subject_bootstrap(lambda rows: first(rows) - second(rows), subjects, seed, draws)
