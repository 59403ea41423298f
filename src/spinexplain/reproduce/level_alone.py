"""What no image is needed for: grades by the level, or by the most frequent class, on a cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spinexplain.config.tasks import Task
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix

LEVEL, FREQUENT = "level alone", "always the most frequent"


def blind_figures(index: pd.DataFrame, task: Task) -> dict[str, float]:
    """Return the class-average F1 on the test split of two opponents that see no image.

    *Level alone* names the class whose share of a level, among all of that class in training and
    validation, is largest, as a classifier with equally weighted classes does.

    Parameters
    ----------
    index : pandas.DataFrame
        A cohort's, with columns ``level``, ``grade`` and ``split``.
    task : Task

    Returns
    -------
    dict of str to float
        Empty if training or test has no vertebra of the task's classes.

    Examples
    --------
    >>> rows = [("L1", "G0"), ("L1", "G2"), ("T8", "G0"), ("T8", "G0")]
    >>> index = pd.DataFrame(rows + rows, columns=["level", "grade"])
    >>> index["split"] = ["training"] * 4 + ["test"] * 4
    >>> task = Task.of({"no fracture": ["G0"], "fracture": ["G2", "G3"]})
    >>> {name: round(value, 2) for name, value in blind_figures(index, task).items()}
    {'level alone': 0.73, 'always the most frequent': 0.43}
    """
    place = {grade: at for at, grades in enumerate(task.grades) for grade in grades}
    known = index[index["grade"].isin(list(place)) & ~_twins(index)]
    learned, test = (known[known["split"].isin(split)] for split in (_LEARNED, _TEST))
    if learned.empty or test.empty:
        return {}
    classes = len(task.classes)
    counts = (
        pd.crosstab(learned["level"], learned["grade"].map(place))
        .reindex(columns=range(classes), fill_value=0)
        .astype(float)
    )
    most = int(counts.sum().to_numpy().argmax())
    shares = counts / counts.sum().clip(lower=1)
    by_level = dict(zip(shares.index, shares.to_numpy().argmax(axis=1), strict=True))
    truth = test["grade"].map(place).to_numpy()
    called = {
        LEVEL: np.array([by_level.get(level, most) for level in test["level"]]),
        FREQUENT: np.full(len(test), most),
    }
    return {
        name: class_average_f1(confusion_matrix(truth, made, classes))
        for name, made in called.items()
    }


_LEARNED, _TEST = ("training", "validation"), ("test",)


def _twins(index: pd.DataFrame) -> pd.Series:
    if "healthy_twin" not in index:
        return pd.Series(False, index=index.index)
    return index["healthy_twin"].astype(bool)
