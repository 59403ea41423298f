"""How strongly each unit is tied to fracture: eq. 1 as printed, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, hypergeom, rankdata

from spinexplain.errors import ConfigError

_DRAWS_AT_ONCE = 100


@dataclass(frozen=True, eq=False)
class UnitStatistics:
    """One number a unit; each array has the shape (U,).

    Parameters
    ----------
    c_positive : ndarray
        Eq. 1 as printed: the share of positive samples in which the unit is enabled.
    c_true_positive : ndarray
        The same over positives that the model found, as the paper's text says; NaN without.
    c_negative : ndarray
        The share of negative samples in which the unit is enabled.
    contrast : ndarray
        ``c_positive - c_negative``: what the units are ranked by.
    auc_max, auc_mean : ndarray
        Area under the ROC curve of the unit's highest, and of its mean activation.
    p, q : ndarray
        Exact two-sided permutation p of the contrast, and its false discovery rate by
        Benjamini and Hochberg; 1 for units that are set aside.
    rank, rank_low, rank_high : ndarray of int
        1 is the unit most tied to fracture; the interval holds 95 % of its ranks over
        resampled subjects. 0 for units that are set aside.
    rank_eq1 : ndarray of int
        The rank by eq. 1 as printed.
    true_positive, false_positive, false_negative : ndarray
        How much more often the unit is enabled in found fractures than in healthy bone
        that was called healthy; in healthy bone called fractured than in such; in missed
        fractures than in found ones. NaN where a group is empty.
    """

    c_positive: np.ndarray
    c_true_positive: np.ndarray
    c_negative: np.ndarray
    contrast: np.ndarray
    auc_max: np.ndarray
    auc_mean: np.ndarray
    p: np.ndarray
    q: np.ndarray
    rank: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    rank_eq1: np.ndarray
    true_positive: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What each of N samples is, what the model called it, and whose it is.

    Parameters
    ----------
    positive : ndarray of bool, shape (N,)
    called : ndarray of bool, shape (N,)
    subjects : ndarray of str, shape (N,)

    Raises
    ------
    ConfigError
        If there are no positives or no negatives: there is nothing to compare.
    """

    positive: np.ndarray
    called: np.ndarray
    subjects: np.ndarray

    def __post_init__(self) -> None:
        for name, count in (("fractured", self.positive.sum()), ("healthy", self.negative.sum())):
            if not count:
                raise ConfigError(
                    f"there is no {name} vertebra to dissect with; expected both fractured and "
                    "healthy ones. Choose another cohort or --split."
                )

    @property
    def negative(self) -> np.ndarray:
        """The healthy samples, bool, shape (N,)."""
        return ~self.positive

    @property
    def counts(self) -> dict[str, int]:
        """Samples by outcome, and in all."""
        return {
            "samples": len(self.positive),
            "positives": int(self.positive.sum()),
            "negatives": int(self.negative.sum()),
            "true_positives": int((self.positive & self.called).sum()),
            "false_positives": int((self.negative & self.called).sum()),
            "false_negatives": int((self.positive & ~self.called).sum()),
            "true_negatives": int((self.negative & ~self.called).sum()),
        }


def unit_statistics(
    peaks: np.ndarray,
    means: np.ndarray,
    thresholds: np.ndarray,
    ranked: np.ndarray,
    outcomes: Outcomes,
    seed: int = 0,
    draws: int = 1000,
) -> UnitStatistics:
    """Measure how strongly every unit is tied to fracture.

    Parameters
    ----------
    peaks, means : ndarray, shape (N, U)
        Highest and mean activation of each unit in each sample.
    thresholds : ndarray, shape (U,)
    ranked : ndarray of bool, shape (U,)
        Units that take part in the ranking; the others are set aside.
    outcomes : Outcomes
    seed : int
        Of the resampling of subjects.
    draws : int
        Resamplings behind the interval of the rank.

    Notes
    -----
    A unit is enabled in a sample where its highest activation exceeds its threshold (the
    paper's E_x). Given how many samples enable it, the number of positives among them is
    hypergeometric when labels are shuffled, so the permutation test needs no drawing. It
    takes vertebrae for exchangeable; the interval of the rank resamples whole subjects.
    """
    enabled = peaks > thresholds
    positive, negative = outcomes.positive, outcomes.negative
    c_positive, c_negative = _share(enabled, positive), _share(enabled, negative)
    contrast = c_positive - c_negative
    auc_max, auc_mean = auc(peaks, positive), auc(means, positive)
    p = np.where(ranked, permutation_p(enabled, positive), 1.0)
    q = np.ones_like(p)
    if ranked.any():
        q[ranked] = false_discovery_control(p[ranked])
    low, high = rank_interval(enabled, ranked, outcomes, seed, draws)
    found, missed = positive & outcomes.called, positive & ~outcomes.called
    calm, alarmed = negative & ~outcomes.called, negative & outcomes.called
    return UnitStatistics(
        c_positive=c_positive,
        c_true_positive=_share(enabled, found),
        c_negative=c_negative,
        contrast=contrast,
        auc_max=auc_max,
        auc_mean=auc_mean,
        p=p,
        q=q,
        rank=ranks(contrast, ranked, auc_max),
        rank_low=low,
        rank_high=high,
        rank_eq1=ranks(c_positive, ranked),
        true_positive=_share(enabled, found) - _share(enabled, calm),
        false_positive=_share(enabled, alarmed) - _share(enabled, calm),
        false_negative=_share(enabled, missed) - _share(enabled, found),
    )


def auc(values: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the area under each column's ROC curve, shape (U,); NaN with one group alone.

    Parameters
    ----------
    values : ndarray, shape (N, U)
    positive : ndarray of bool, shape (N,)

    Examples
    --------
    >>> auc(np.array([[1.0], [2.0], [2.0], [3.0]]), np.array([False, False, True, True])).tolist()
    [0.875]
    """
    from sklearn.metrics import roc_auc_score

    if positive.all() or not positive.any():
        return np.full(values.shape[1], np.nan)
    return np.array([roc_auc_score(positive, unit) for unit in values.T])


def permutation_p(enabled: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the exact two-sided p of each unit's contrast under shuffled labels.

    Parameters
    ----------
    enabled : ndarray of bool, shape (N, U)
    positive : ndarray of bool, shape (N,)

    Returns
    -------
    ndarray, shape (U,)
        Twice the smaller tail, at most 1.

    Examples
    --------
    Of the 6 ways to mark two of four samples, one is as extreme on this side:

    >>> labels = np.array([True, True, False, False])
    >>> permutation_p(labels[:, None], labels).round(4).tolist()
    [0.3333]
    """
    hits, marked = enabled[positive].sum(axis=0), enabled.sum(axis=0)
    under = hypergeom(len(positive), int(positive.sum()), marked)
    smaller = np.minimum(under.cdf(hits), under.sf(hits - 1))
    return np.minimum(2 * smaller, 1.0)


def ranks(values: np.ndarray, ranked: np.ndarray, then: np.ndarray | None = None) -> np.ndarray:
    """Number units from the highest value on; 0 for units that are set aside.

    Ties go by ``then``, then by the unit's number.

    Examples
    --------
    >>> ranks(np.array([0.1, 0.5, 0.5, 0.9]), np.array([True, True, True, False])).tolist()
    [3, 1, 2, 0]
    """
    second = np.zeros(len(values)) if then is None else then
    order = np.lexsort((np.arange(len(values)), -second, -values))
    order = order[ranked[order]]
    numbers = np.zeros(len(values), np.int64)
    numbers[order] = np.arange(len(order)) + 1
    return numbers


def rank_interval(
    enabled: np.ndarray, ranked: np.ndarray, outcomes: Outcomes, seed: int, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which ranks by contrast hold 95 % of resampled cohorts, two of shape (U,).

    Subjects are drawn with replacement; draws without a positive or negative are left out.
    Units that tie in a draw may have any of the ranks that they share.
    """
    rng = np.random.default_rng([seed, 3])
    _, subject = np.unique(outcomes.subjects, return_inverse=True)
    persons = int(subject.max()) + 1
    marks = enabled[:, ranked].astype(np.float32)
    drawn = []
    for start in range(0, draws, _DRAWS_AT_ONCE):
        size = min(_DRAWS_AT_ONCE, draws - start)
        times = rng.multinomial(persons, np.full(persons, 1 / persons), size=size)
        weights = times[:, subject].astype(np.float32)
        drawn.append(_contrast_ranks(weights, marks, outcomes.positive))
    low, high = np.zeros((2, len(ranked)), np.int64)
    first, last = np.concatenate(drawn, axis=1)
    if len(first) and ranked.any():
        low[ranked] = np.floor(np.percentile(first, 2.5, axis=0))
        high[ranked] = np.ceil(np.percentile(last, 97.5, axis=0))
    return low, high


def _contrast_ranks(weights: np.ndarray, marks: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the lowest and the highest rank of each unit in each draw, (2, draws, units)."""
    for_positive, for_negative = weights * positive, weights * ~positive
    sums = for_positive.sum(axis=1), for_negative.sum(axis=1)
    usable = (sums[0] > 0) & (sums[1] > 0)
    shares = [
        (part @ marks)[usable] / total[usable, None]
        for part, total in zip((for_positive, for_negative), sums, strict=True)
    ]
    # Rounded, so that equal shares tie whatever the order of summation.
    contrast = -np.round(shares[0] - shares[1], 6)
    return np.stack([rankdata(contrast, method, axis=1) for method in ("min", "max")])


def _share(enabled: np.ndarray, group: np.ndarray) -> np.ndarray:
    if not group.any():
        return np.full(enabled.shape[1], np.nan)
    return enabled[group].mean(axis=0)


def most_relevant(relevance: np.ndarray, count: int) -> list[int]:
    """Return where relevance is largest, largest first; nothing without relevance counts.

    Parameters
    ----------
    relevance : ndarray, shape (N,)
        Of samples to one unit, or of units on one sample.
    count : int
        At most.

    Examples
    --------
    >>> most_relevant(np.array([0.5, 0.0, 2.0]), 3)
    [2, 0]
    """
    order = np.argsort(-relevance, kind="stable")[:count]
    return [int(place) for place in order if relevance[place] > 0]
