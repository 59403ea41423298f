"""How good grades are: figures from true labels and class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.config.tasks import Task
from spinexplain.errors import ShapeError


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class against the rest; NaN where the class or the rest is empty.

    Parameters
    ----------
    name : str
    count : int
        Vertebrae of this class.
    recall, precision, specificity, f1 : float
    auc, ap : float
        Area under the ROC curve, average precision, of the class's own probability.
    """

    name: str
    count: int
    recall: float
    precision: float
    specificity: float
    f1: float
    auc: float
    ap: float


@dataclass(frozen=True)
class GradingFigures:
    """Figures of one model on one set.

    Parameters
    ----------
    count : int
    class_average_accuracy : float
        Mean recall over the classes that are present.
    class_average_f1 : float
        Mean F1 over all classes that are present or predicted; one never found counts 0.
    sample_accuracy : float
    quadratic_kappa : float
        Cohen's kappa with quadratic weights over the classes in order of severity.
    classes : tuple of ClassFigures
    confusion : tuple of tuple of int, (K, K)
        Row the true, column the predicted class.
    """

    count: int
    class_average_accuracy: float
    class_average_f1: float
    sample_accuracy: float
    quadratic_kappa: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]


def grading_figures(labels: np.ndarray, probabilities: np.ndarray, task: Task) -> GradingFigures:
    """Compute every figure of a set of graded vertebrae.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Index of the true class.
    probabilities : ndarray, shape (n, K)
    task : Task
        Of K classes; kappa takes them in order of severity, whatever the order of the logits.

    Raises
    ------
    ShapeError
        If the arrays do not fit together, are empty, or hold what is no label.

    Examples
    --------
    >>> from spinexplain.config.tasks import TASKS
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> figures = grading_figures(np.array([0, 1, 1]), p, TASKS["fracture"])
    >>> figures.class_average_accuracy, figures.confusion
    (0.75, ((1, 0), (1, 1)))
    """
    from sklearn.metrics import cohen_kappa_score

    names = task.classes
    check_labels(labels, probabilities, len(names))
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, len(names))
    classes = tuple(
        _class_figures(name, confusion, k, labels == k, probabilities[:, k])
        for k, name in enumerate(names)
    )
    order = list(task.by_severity)
    spread = len(set(labels.tolist()) | set(predicted.tolist())) > 1
    return GradingFigures(
        count=len(labels),
        class_average_accuracy=class_average_accuracy(confusion),
        class_average_f1=class_average_f1(confusion),
        sample_accuracy=float(np.mean(predicted == labels)),
        quadratic_kappa=(
            float(cohen_kappa_score(labels, predicted, labels=order, weights="quadratic"))
            if spread
            else float("nan")
        ),
        classes=classes,
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )


def check_labels(labels: np.ndarray, probabilities: np.ndarray, classes: int) -> None:
    """Refuse arrays that do not describe n > 0 vertebrae of K classes.

    Raises
    ------
    ShapeError
    """
    if probabilities.shape != (len(labels), classes) or not len(labels):
        raise ShapeError(
            f"there are {len(labels)} labels and probabilities of shape {probabilities.shape}; "
            f"expected n > 0 and (n, {classes}). Check which vertebrae were graded."
        )
    if not np.isfinite(probabilities).all() or labels.min() < 0 or labels.max() >= classes:
        raise ShapeError(
            f"labels must lie in 0 to {classes - 1} and probabilities be finite; got labels "
            f"{labels.min()} to {labels.max()}. Leave out what was not graded."
        )


# The three below are computed thousands of times under a bootstrap; scikit-learn's take 70 to
# 100 times as long, as they check their arguments each time. Tests hold them against those.


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count vertebrae by true (row) and predicted (column) class, shape (K, K)."""
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def class_average_accuracy(confusion: np.ndarray) -> float:
    """Average the recall over the classes that are present: scikit-learn's balanced accuracy."""
    present = confusion.sum(axis=1) > 0
    return float(np.mean(np.diag(confusion)[present] / confusion.sum(axis=1)[present]))


def class_average_f1(confusion: np.ndarray) -> float:
    """Average the F1 over the classes that are present or predicted.

    Training chooses a model by this figure and evaluation reports it. A class that is neither
    present nor predicted is left out; one that is predicted but absent, or never found,
    counts 0.

    Parameters
    ----------
    confusion : ndarray of int, shape (K, K)
        Of at least one vertebra; row the true, column the predicted class.

    Notes
    -----
    scikit-learn's ``f1_score(labels, predicted, average="macro")``.

    Examples
    --------
    >>> class_average_f1(np.array([[1, 0], [1, 1]]))
    0.6666666666666666
    """
    total = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float(np.mean(2 * np.diag(confusion)[total > 0] / total[total > 0]))


def _class_figures(
    name: str, confusion: np.ndarray, k: int, own: np.ndarray, score: np.ndarray
) -> ClassFigures:
    from sklearn.metrics import average_precision_score, roc_auc_score

    hits, count, called = confusion[k, k], confusion[k].sum(), confusion[:, k].sum()
    others = len(own) - count
    both = bool(count and others)
    return ClassFigures(
        name=name,
        count=int(count),
        recall=_share(hits, count),
        precision=_share(hits, called),
        specificity=_share(others - (called - hits), others),
        f1=_share(2 * hits, count + called),
        auc=float(roc_auc_score(own, score)) if both else float("nan"),
        ap=float(average_precision_score(own, score)) if both else float("nan"),
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def scan_positives(
    labels: np.ndarray, probabilities: np.ndarray, scans: np.ndarray, positive: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Pool vertebrae to scans: positive with any vertebra of a fractured class.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray, shape (n, K)
    scans : ndarray of str, shape (n,)
        Which scan each vertebra belongs to.
    positive : sequence of int
        Places of the classes that count as fractured.

    Returns
    -------
    truth : ndarray of bool, shape (m,)
        One per scan, in the order of the scans' sorted names.
    score : ndarray, shape (m,)
        Largest fracture probability of the scan's vertebrae.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.3, 0.7], [0.8, 0.2]])
    >>> scan_positives(np.array([0, 1, 0]), p, np.array(["a", "a", "b"]), [1])
    (array([ True, False]), array([0.7, 0.2]))
    """
    names, member = np.unique(scans, return_inverse=True)
    truth = np.zeros(len(names), bool)
    np.logical_or.at(truth, member, np.isin(labels, positive))
    score = np.zeros(len(names))
    np.maximum.at(score, member, probabilities[:, list(positive)].sum(axis=1))
    return truth, score


def positive_classes(task: Task) -> tuple[int, ...]:
    """Return the places of the classes that make a scan positive: fractures, G1 alone aside.

    Examples
    --------
    >>> from spinexplain.config.tasks import TASKS
    >>> positive_classes(TASKS["g0-g1-g2-g3"]), positive_classes(TASKS["any-fracture"])
    ((2, 3), (1,))
    """
    return tuple(
        k
        for k, name in enumerate(task.classes)
        if name != task.healthy and task.grades[k] != ("G1",)
    )
