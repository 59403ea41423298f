"""Figures of a detector: one score a vertebra, fractured or not."""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix

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
        ``f1`` averaged over the classes (:func:`~spinexplain.evaluate.grading.class_average_f1`),
        ``f1_fracture`` of the fractures alone, ``accuracy``, ``auc`` and ``ap``; the last two
        are NaN with one class only, ``f1_fracture`` where no fracture is there or called.

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
    from sklearn.metrics import average_precision_score, roc_auc_score

    called, truth = scores >= threshold, labels == 1
    confusion = confusion_matrix(truth.astype(int), called.astype(int), 2)
    both = bool(truth.any() and not truth.all())
    fractures = int(called.sum() + truth.sum())
    return {
        "f1": class_average_f1(confusion),
        "f1_fracture": 2 * int(confusion[1, 1]) / fractures if fractures else float("nan"),
        "accuracy": float(np.mean(called == truth)),
        "auc": float(roc_auc_score(truth, scores)) if both else float("nan"),
        "ap": float(average_precision_score(truth, scores)) if both else float("nan"),
    }
