"""Usefulness: whether the evidence warns where the grade is wrong."""

from __future__ import annotations

import numpy as np

from spinexplain.evaluate.bootstrap import DRAWS, Interval, subject_bootstrap


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

    Examples
    --------
    >>> wrong = np.array([True, False, False])
    >>> error_auc(np.array([3.0, 1, 5]), wrong, np.array(["a", "b", "c"]), 0).value
    0.5
    """
    from sklearn.metrics import roc_auc_score

    doubt, wrong = np.asarray(doubt, float), np.asarray(wrong, bool)

    def area(rows: np.ndarray) -> float:
        if wrong[rows].all() or not wrong[rows].any():
            return float("nan")
        return float(roc_auc_score(wrong[rows], doubt[rows]))

    return subject_bootstrap(area, np.asarray(subjects), seed, draws)


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
