"""Figures of graded vertebrae by name: a new one is its function and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinexplain.config.tasks import Task
from spinexplain.evaluate.calibration import calibration_of, reliability
from spinexplain.evaluate.grading import (
    class_average_accuracy,
    class_average_f1,
    confusion_matrix,
    grading_figures,
)


@dataclass(frozen=True)
class Metric:
    """One figure of a set of graded vertebrae.

    Parameters
    ----------
    title : str
        What a page calls it.
    of : callable
        From true classes (n,), probabilities (n, K) and the task to a number; NaN where there
        is none.
    interval : bool
        Whether its interval is worth a thousand evaluations.
    """

    title: str
    of: Callable[[np.ndarray, np.ndarray, Task], float]
    interval: bool = True


def _confusion(labels: np.ndarray, scores: np.ndarray, task: Task) -> np.ndarray:
    return confusion_matrix(labels, scores.argmax(axis=1), len(task.classes))


METRICS: dict[str, Metric] = {
    "class_average_accuracy": Metric(
        "class-average accuracy", lambda *graded: class_average_accuracy(_confusion(*graded))
    ),
    "class_average_f1": Metric(
        "class-average F1", lambda *graded: class_average_f1(_confusion(*graded))
    ),
    "sample_accuracy": Metric(
        "sample accuracy", lambda labels, scores, _: float(np.mean(scores.argmax(axis=1) == labels))
    ),
    "quadratic_kappa": Metric(
        "quadratic kappa",
        lambda *graded: grading_figures(*graded).quadratic_kappa,
        interval=False,
    ),
    "ece": Metric(
        "calibration error (ECE)",
        lambda labels, scores, _: reliability(labels, scores).ece,
        interval=False,
    ),
    "brier": Metric(
        "Brier score",
        lambda labels, scores, task: calibration_of(labels, scores, task.classes).brier,
        interval=False,
    ),
}
"""Key in ``figures.json`` -> figure. Every evaluation and cross-validation computes all."""
