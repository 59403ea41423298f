"""Usefulness: whether the evidence warns where the grade is wrong."""

from __future__ import annotations

import numpy as np

from spinexplain.evaluate.bootstrap import DRAWS, Interval, weighted_bootstrap


def error_auc(
    doubt: np.ndarray, wrong: np.ndarray, subjects: np.ndarray, seed: int, draws: int = DRAWS
) -> Interval:
    """Return how well doubt separates wrong grades from right ones.

    Parameters
    ----------
    doubt : ndarray, shape (n,)
        Higher where an error is more likely: minus the strength of the evidence shown, or,
        as its opponent, minus the model's own confidence.
    wrong : ndarray of bool, shape (n,)
    subjects : ndarray of str, shape (n,)
    seed : int
    draws : int

    Returns
    -------
    Interval
        Area under the ROC curve; NaN where all grades are right or all wrong.

    Notes
    -----
    The share of pairs of a wrong and a right grade that are in order, equal ones counting
    half; in a draw of subjects each pair counts as often as both were drawn.

    Examples
    --------
    >>> wrong = np.array([True, False, False])
    >>> error_auc(np.array([3.0, 1, 5]), wrong, np.array(["a", "b", "c"]), 0).value
    0.5
    """
    doubt, wrong = np.asarray(doubt, float), np.asarray(wrong, bool)
    above = doubt[wrong][:, None] - doubt[~wrong][None]
    in_order = (above > 0) + 0.5 * (above == 0)

    def area(weights: np.ndarray) -> np.ndarray:
        first, second = weights[:, wrong], weights[:, ~wrong]
        pairs = first.sum(axis=1) * second.sum(axis=1)
        ordered = ((first @ in_order) * second).sum(axis=1)
        return np.divide(ordered, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)

    return weighted_bootstrap(area, np.asarray(subjects), seed, draws)


def equally_convincing(false_alarms: np.ndarray, fractures: np.ndarray) -> float:
    """Return in which share of false alarms the evidence is as strong as in real fractures.

    Parameters
    ----------
    false_alarms : ndarray, shape (m,)
        Strength of the evidence where a healthy vertebra was called fractured.
    fractures : ndarray, shape (n,)
        Strength where a fracture was found.

    Returns
    -------
    float
        Share of false alarms at least as strong as the median of the fractures; NaN where
        there are none of either.

    Examples
    --------
    >>> equally_convincing(np.array([1.0, 5.0]), np.array([2.0, 3.0, 4.0]))
    0.5
    """
    if not len(false_alarms) or not len(fractures):
        return float("nan")
    return float(np.mean(np.asarray(false_alarms) >= np.median(fractures)))
