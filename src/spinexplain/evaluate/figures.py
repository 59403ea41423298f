"""All figures of a predictions table with intervals, ready for JSON, pages and tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import GENANT_GRADES, Task, derived_task
from spinexplain.errors import ConfigError
from spinexplain.evaluate.bootstrap import DRAWS, Interval, subject_bootstrap
from spinexplain.evaluate.calibration import calibration_of, reliability
from spinexplain.evaluate.grading import (
    class_average_accuracy,
    class_average_f1,
    confusion_matrix,
    grading_figures,
    positive_classes,
    scan_positives,
)
from spinexplain.evaluate.metrics import METRICS, Metric
from spinexplain.evaluate.predictions import SCORE, class_names, judged

if TYPE_CHECKING:
    import pandas as pd

HEADLINE = ("class_average_accuracy", "class_average_f1", "sample_accuracy")


def used_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that were graded and have a class, numbered from 0.

    Raises
    ------
    ConfigError
        If there is none.
    """
    use = table["assessable"].to_numpy(bool) & (table["label"] >= 0).to_numpy(bool)
    if not use.any():
        raise ConfigError(
            f"none of the {len(table)} vertebrae was graded and has one of the classes "
            f"{', '.join(class_names(table))}; expected at least one. Check split and grades."
        )
    return table[use].reset_index(drop=True)


def headline(labels: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, float]:
    """Return the three figures that ProtoVerse's tables print.

    Examples
    --------
    >>> headline(np.array([0, 1]), np.array([0, 0]), 2)["class_average_accuracy"]
    0.5
    """
    confusion = confusion_matrix(labels, predicted, classes)
    return {
        "class_average_accuracy": class_average_accuracy(confusion),
        "class_average_f1": class_average_f1(confusion),
        "sample_accuracy": float(np.trace(confusion) / confusion.sum()),
    }


def summarize(
    table: pd.DataFrame, seed: int = 0, draws: int = DRAWS, task: Task | None = None
) -> dict[str, Any]:
    """Compute every figure of a predictions table, per vertebra, level and scan.

    Parameters
    ----------
    table : DataFrame
        Predictions of one model.
    seed : int
        Of the subject bootstrap.
    draws : int
    task : Task, optional
        Of the table's classes; left out, it is derived from their names.

    Returns
    -------
    dict
        JSON-ready; what cannot be computed is None.

    Raises
    ------
    ConfigError
        If no vertebra was graded.
    """
    names = class_names(table)
    task = task or derived_task(names)
    used = used_rows(table)
    labels, scores = judged(table)
    subjects = used["subject"].to_numpy(str)
    figures = grading_figures(labels, scores, task)
    summary: dict[str, Any] = {
        name: str(table[name].iloc[0])
        for name in ("model", "bundle_sha256", "data_sha256", "config_sha256")
    }
    summary |= {
        "classes": list(names),
        "vertebrae": figures.count,
        "subjects": len(set(subjects.tolist())),
        "not_assessable": int((~table["assessable"].to_numpy(bool)).sum()),
        "without_class": int((table["label"] < 0).sum()),
        "bootstrap": {"draws": draws, "seed": seed, "unit": "subject", "level": 0.95},
        "vertebra": _with_intervals(labels, scores, subjects, task, seed, draws),
        "class_figures": [asdict(figure) for figure in figures.classes],
        "recall_intervals": {
            name: asdict(
                subject_bootstrap(_recall(labels, scores, k), subjects, seed, draws)
                if np.any(labels == k)
                else Interval(math.nan, math.nan, math.nan, "no such vertebra")
            )
            for k, name in enumerate(names)
        },
        "confusion": [list(row) for row in figures.confusion],
        "unknown_grades": called_instead(table),
        "calibration": asdict(reliability(labels, scores)),
        "class_calibration": asdict(calibration_of(labels, scores, names)),
        "levels": _by_level(used, labels, scores.argmax(axis=1), len(names)),
        "scans": _by_scan(used, labels, scores, task),
    }
    return without_nan(summary)


def called_instead(table: pd.DataFrame) -> dict[str, list[int]]:
    """Count what vertebrae were called whose Genant grade is no class of the model.

    Returns
    -------
    dict of str to list of int
        Grade -> how many were called each class, in the order of the classes; of those that
        were graded. They are in no other figure.
    """
    names = class_names(table)
    strangers = table[table["assessable"].to_numpy(bool) & (table["label"] < 0).to_numpy(bool)]
    called = strangers[[f"{SCORE}{name}" for name in names]].to_numpy(float).argmax(axis=1)
    grades = strangers["grade"].to_numpy(str)
    return {
        grade: [int(np.sum(called[grades == grade] == k)) for k in range(len(names))]
        for grade in GENANT_GRADES
        if np.any(grades == grade)
    }


def _with_intervals(
    labels: np.ndarray,
    scores: np.ndarray,
    subjects: np.ndarray,
    task: Task,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    def figure(metric: Metric) -> dict[str, Any]:
        if metric.interval:
            drawn = partial(_of_rows, metric, labels, scores, task)
            return asdict(subject_bootstrap(drawn, subjects, seed, draws))
        value = metric.of(labels, scores, task)
        return {"value": value, "low": math.nan, "high": math.nan, "note": "no interval computed"}

    return {name: figure(metric) for name, metric in METRICS.items()}


def _of_rows(
    metric: Metric, labels: np.ndarray, scores: np.ndarray, task: Task, rows: np.ndarray
) -> float:
    return metric.of(labels[rows], scores[rows], task)


def _recall(labels: np.ndarray, scores: np.ndarray, k: int) -> Callable[[np.ndarray], float]:
    hit = scores.argmax(axis=1) == k

    def recall(rows: np.ndarray) -> float:
        own = labels[rows] == k
        return float(hit[rows][own].mean()) if own.any() else math.nan

    return recall


def _by_level(
    used: pd.DataFrame, labels: np.ndarray, predicted: np.ndarray, classes: int
) -> list[dict[str, Any]]:
    levels = used["level"].to_numpy(str)
    order = [level.value for level in VertebraLevel if level.value in set(levels)]
    return [
        {
            "level": level,
            "count": int(np.sum(levels == level)),
            **headline(labels[levels == level], predicted[levels == level], classes),
        }
        for level in order
    ]


def _by_scan(
    used: pd.DataFrame, labels: np.ndarray, scores: np.ndarray, task: Task
) -> dict[str, Any]:
    """Judge whole scans: whether there is any fracture of G2 or more."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    positive = positive_classes(task)
    scans = (used["subject"] + "\x1f" + used["series"]).to_numpy(str)
    truth, score = scan_positives(labels, scores, scans, positive)
    called, _ = scan_positives(scores.argmax(axis=1), scores, scans, positive)
    both = bool(truth.any() and not truth.all())
    return {
        "scans": len(truth),
        "positive": int(truth.sum()),
        "one_vertebra_each": len(truth) == len(labels),
        "sensitivity": float(called[truth].mean()) if truth.any() else math.nan,
        "specificity": float((~called[~truth]).mean()) if not truth.all() else math.nan,
        "auc": float(roc_auc_score(truth, score)) if both else math.nan,
        "ap": float(average_precision_score(truth, score)) if both else math.nan,
    }


def without_nan(value: Any) -> Any:
    """Replace what is not finite by None, all the way down: JSON has no NaN.

    Examples
    --------
    >>> without_nan({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
