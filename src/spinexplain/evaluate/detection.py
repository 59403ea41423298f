"""Figures of a detector: one score a vertebra, fractured or not."""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError

FIGURES = ("f1", "f1_fracture", "accuracy", "auc", "ap")


def detection_figures(
    labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5
) -> dict[str, float]:
    """Return F1, accuracy, area under the ROC curve and average precision.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        1 for a fracture, 0 for none.
    scores : ndarray of float, shape (N,)
        Higher where a fracture is more likely.
    threshold : float
        A score of at least this is called a fracture.

    Returns
    -------
    dict of str to float
        ``f1`` averaged over the two classes, ``f1_fracture`` of the fractures alone,
        ``accuracy``, ``auc`` and ``ap``; the last two are NaN with one class only.

    Raises
    ------
    ShapeError
        If there are no vertebrae, or not as many scores as labels.

    Notes
    -----
    Table 1 of Interpretable Vertebral Fracture Diagnosis. Reading: its F1 is averaged over
    the classes, as in the released code; that of the fractures alone could not be 71.2 %
    at an accuracy of 78.2 % where 6.5 % of the vertebrae are fractured.

    Examples
    --------
    >>> figures = detection_figures(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    >>> figures["auc"], figures["accuracy"]
    (0.75, 0.5)
    """
    if len(labels) == 0 or len(labels) != len(scores):
        raise ShapeError(
            f"there are {len(labels)} labels and {len(scores)} scores; expected as many of both, "
            "at least one."
        )
    called, truth = scores >= threshold, labels == 1
    fracture, healthy = _f1(called, truth), _f1(~called, ~truth)
    return {
        "f1": (fracture + healthy) / 2,
        "f1_fracture": fracture,
        "accuracy": float(np.mean(called == truth)),
        "auc": _auc(truth, scores),
        "ap": _average_precision(truth, scores),
    }


def _f1(called: np.ndarray, truth: np.ndarray) -> float:
    total = int(called.sum() + truth.sum())
    return 2 * int(np.sum(called & truth)) / total if total else 0.0


def _auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Share of pairs that are in order; ties count half."""
    from scipy.stats import rankdata

    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)[truth].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def _average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Precision at each different score, weighted by the recall it adds."""
    if not truth.any() or truth.all():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / truth.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
