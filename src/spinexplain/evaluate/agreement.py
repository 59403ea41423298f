"""How far raters agree: Cohen's and Fleiss' kappa, Gwet's AC1 and AC2, with cluster intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ShapeError
from spinexplain.evaluate.bootstrap import DRAWS, Interval, weighted_bootstrap

WEIGHTS = ("identity", "linear", "quadratic")


@dataclass(frozen=True)
class Agreement:
    """What is known of the agreement on one question.

    Parameters
    ----------
    items : int
        Rated by at least two raters.
    raters : int
    weights : str
        One of ``WEIGHTS``: what near misses count.
    figures : mapping of str to Interval
        ``"agreement"``, ``"fleiss"``, ``"gwet"`` and, of two raters, ``"cohen"``.
    note : str
        What to know before reading the figures; empty where there is nothing.
    """

    items: int
    raters: int
    weights: str
    figures: Mapping[str, Interval]
    note: str = ""


def weight_matrix(categories: int, weights: str = "identity") -> np.ndarray:
    """Return what each pair of answers counts as agreement, shape (q, q), 1 on the diagonal.

    Parameters
    ----------
    categories : int
        q, in their order.
    weights : {"identity", "linear", "quadratic"}

    Examples
    --------
    >>> weight_matrix(3, "quadratic").tolist()
    [[1.0, 0.75, 0.0], [0.75, 1.0, 0.75], [0.0, 0.75, 1.0]]
    """
    if weights not in WEIGHTS:
        raise ShapeError(f"weights are {weights!r}; expected one of {', '.join(WEIGHTS)}.")
    if weights == "identity" or categories < 2:
        return np.eye(categories)
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    share = apart / (categories - 1)
    return 1 - (share if weights == "linear" else share**2)


def counted(ratings: np.ndarray, categories: int) -> np.ndarray:
    """Count how many raters gave each item each category, float, shape (n, q).

    Parameters
    ----------
    ratings : ndarray of float, shape (n, R)
        Number of a category, 0 to q - 1; NaN where a rater gave no answer.
    categories : int

    Raises
    ------
    ShapeError
        If a rating is no category.

    Examples
    --------
    >>> counted(np.array([[0, 1], [1, np.nan]]), 2).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    ratings = np.asarray(ratings, float)
    known = np.isfinite(ratings)
    if known.any() and not np.isin(ratings[known], np.arange(categories)).all():
        raise ShapeError(f"ratings must be numbers of categories, 0 to {categories - 1}.")
    return np.stack([(ratings == k).sum(axis=1) for k in range(categories)], axis=1).astype(float)


def percent_agreement(table: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the share of agreeing pairs of raters, over items with at least two.

    Parameters
    ----------
    table : ndarray of float, shape (n, q)
        From :func:`counted`.
    weights : ndarray, shape (q, q)
        From :func:`weight_matrix`.
    rows : ndarray, shape (draws, n)
        How often each item counts.

    Returns
    -------
    ndarray of float, shape (draws,)
    """
    raters = table.sum(axis=1)
    several = raters >= 2
    pairs = (table * (table @ weights - 1)).sum(axis=1)
    share = np.where(several, pairs / np.where(several, raters * (raters - 1), 1), 0)
    return _ratio(rows @ share, rows @ several.astype(float))


def fleiss_kappa(table: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return Fleiss' kappa for any number of raters, weighted, with answers missing.

    Arguments and result as for :func:`percent_agreement`; NaN where all answers are alike.

    Notes
    -----
    kappa = (p_a - p_e) / (1 - p_e) with p_e = sum over k, l of w_kl pi_k pi_l, where pi_k is
    the mean share of raters who gave category k (Gwet, Handbook of Inter-Rater Reliability).
    """
    shares = _category_shares(table, rows)
    expected = ((shares @ weights) * shares).sum(axis=1)
    return _above_chance(percent_agreement(table, weights, rows), expected)


def gwet_ac(table: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return Gwet's AC1, or AC2 with weights other than the identity.

    Arguments and result as for :func:`percent_agreement`.

    Notes
    -----
    p_e = T_w / (q (q - 1)) * sum over k of pi_k (1 - pi_k), T_w the sum of all weights. It
    stays defined where all raters answer alike, and is 1 there: it says that they agree, not
    that they see anything.
    """
    shares = _category_shares(table, rows)
    count = len(weights)
    if count < 2:
        return np.full(len(rows), np.nan)
    expected = weights.sum() / (count * (count - 1)) * (shares * (1 - shares)).sum(axis=1)
    return _above_chance(percent_agreement(table, weights, rows), expected)


def cohen_kappa(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return Cohen's kappa of two raters, weighted by ``weights``.

    Parameters
    ----------
    first, second : ndarray of float, shape (n,)
        Numbers of categories; items with a NaN are left out.
    weights : ndarray, shape (q, q)
    rows : ndarray, shape (draws, n)

    Returns
    -------
    ndarray of float, shape (draws,)
        NaN where both gave one and the same category throughout.

    Notes
    -----
    p_e = sum over k, l of w_kl p_k q_l, of each rater's own shares.
    """
    both = np.isfinite(first) & np.isfinite(second)
    used = np.asarray(rows, float)[:, both]
    one, other = (_one_hot(values[both], len(weights)) for values in (first, second))
    total = used.sum(axis=1)
    agreed = _ratio(used @ ((one @ weights) * other).sum(axis=1), total)
    shares = [_ratio(used @ hot, total[:, None]) for hot in (one, other)]
    return _above_chance(agreed, ((shares[0] @ weights) * shares[1]).sum(axis=1))


def agreement_of(
    ratings: np.ndarray,
    categories: int,
    subjects: np.ndarray,
    weights: str = "identity",
    seed: int = 0,
    draws: int = DRAWS,
) -> Agreement:
    """Sum up the agreement of raters on one question, with intervals clustered by patient.

    Parameters
    ----------
    ratings : ndarray of float, shape (n, R)
        Number of a category; NaN where a rater gave none.
    categories : int
    subjects : ndarray of str, shape (n,)
        Whose item it is: whole patients are drawn.
    weights : {"identity", "linear", "quadratic"}
    seed : int
    draws : int

    Returns
    -------
    Agreement

    Examples
    --------
    Two raters who say yes to everything agree, and kappa has nothing to say of it:

    >>> found = agreement_of(np.ones((12, 2)), 2, np.arange(12).astype(str), draws=10)
    >>> found.figures["agreement"].value, found.figures["cohen"].value, found.note
    (1.0, nan, 'all answers are alike: kappa is undefined, and AC1 says nothing')
    """
    ratings = np.asarray(ratings, float)
    known = np.isfinite(ratings)
    several = known.sum(axis=1) >= 2
    raters = int(known.any(axis=0).sum())
    kept, owners = ratings[several], np.asarray(subjects)[several]
    if raters < 2 or not len(kept):
        return Agreement(0, raters, weights, {}, "no item has the answers of two raters")
    figures = {
        name: weighted_bootstrap(figure, owners, seed, draws)
        for name, figure in _figures(kept, categories, weights).items()
    }
    if len(np.unique(kept[np.isfinite(kept)])) == 1:  # drawn again it is always the same
        nan = float("nan")
        none = "no interval: all answers are alike"
        figures = {name: Interval(one.value, nan, nan, none) for name, one in figures.items()}
    return Agreement(len(kept), raters, weights, figures, _note(kept, weights))


def _note(ratings: np.ndarray, weights: str) -> str:
    """Say what makes the figures say little."""
    if len(np.unique(ratings[np.isfinite(ratings)])) == 1:
        name = "AC1" if weights == "identity" else "AC2"
        return f"all answers are alike: kappa is undefined, and {name} says nothing"
    constant = [len(np.unique(one[np.isfinite(one)])) == 1 for one in ratings.T]
    if any(constant):
        alike = f"{sum(constant)} of {len(constant)} gave one answer throughout"
        return f"{alike}: Cohen's kappa is 0 whatever the other says"
    return ""


Figure = Callable[[np.ndarray], np.ndarray]


def _figures(ratings: np.ndarray, categories: int, weights: str) -> dict[str, Figure]:
    matrix = weight_matrix(categories, weights)
    table = counted(ratings, categories)
    figures: dict[str, Figure] = {
        "agreement": lambda rows: percent_agreement(table, matrix, rows),
        "fleiss": lambda rows: fleiss_kappa(table, matrix, rows),
        "gwet": lambda rows: gwet_ac(table, matrix, rows),
    }
    present: Sequence[int] = np.flatnonzero(np.isfinite(ratings).any(axis=0)).tolist()
    if len(present) == 2:
        first, second = ratings[:, present[0]], ratings[:, present[1]]
        figures["cohen"] = lambda rows: cohen_kappa(first, second, matrix, rows)
    return figures


def _category_shares(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    raters = table.sum(axis=1, keepdims=True)
    share = np.where(raters > 0, table / np.where(raters > 0, raters, 1), 0)
    return _ratio(rows @ share, (rows @ (raters > 0).astype(float)))


def _one_hot(values: np.ndarray, categories: int) -> np.ndarray:
    return np.asarray(values[:, None] == np.arange(categories), float)


def _above_chance(agreed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    left = 1 - expected
    defined = left > 1e-12
    return np.where(defined, (agreed - expected) / np.where(defined, left, 1), np.nan)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
