"""Which class is explained: that of the fracture there is, or that which would be called."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from spinexplain.config.tasks import Task


def fracture_indices(task: Task) -> list[int]:
    """Return the places of the fracture classes among the logits.

    Examples
    --------
    >>> fracture_indices(Task.of({"fracture": ["G2", "G3"], "no fracture": ["G0"]}))
    [0]
    """
    return [task.classes.index(name) for name in task.fractures]


def class_indices(grades: np.ndarray, task: Task) -> np.ndarray:
    """Return the class of every Genant grade, -1 where it is in no class.

    Examples
    --------
    >>> class_indices(np.array(["G0", "G1", "G3"]), Task.of({"a": ["G0"], "b": ["G3"]})).tolist()
    [0, -1, 1]
    """
    where = {grade: k for k, of in enumerate(task.grades) for grade in of}
    return np.array([where.get(str(grade), -1) for grade in grades], dtype=int)


def explained_class(grade: str, logits: np.ndarray, task: Task) -> int:
    """Return the index of the class whose evidence is scored on one vertebra.

    Parameters
    ----------
    grade : str
        True Genant grade.
    logits : ndarray, shape (K,)
    task : Task

    Returns
    -------
    int
        The class of a true fracture; in any other vertebra the fracture class with the
        highest logit, which is what a false alarm would show.

    Examples
    --------
    >>> task = Task.of({"G0": ["G0"], "G2": ["G2"], "G3": ["G3"]})
    >>> explained_class("G3", np.zeros(3), task)
    2
    >>> explained_class("G0", np.array([5.0, 1.0, 2.0]), task)
    2
    """
    candidates = fracture_indices(task)
    own = int(class_indices(np.array([grade]), task)[0])
    return own if own in candidates else max(candidates, key=lambda k: float(logits[k]))


def fracture_probability(logits: np.ndarray, task: Task) -> np.ndarray:
    """Return the probability of any fracture, shape (...), from logits (..., K).

    Examples
    --------
    >>> task = Task.of({"no fracture": ["G0"], "fracture": ["G2", "G3"]})
    >>> fracture_probability(np.array([[0.0, 0.0]]), task).tolist()
    [0.5]
    """
    scores = softmax(np.asarray(logits, float), axis=-1)
    return scores[..., fracture_indices(task)].sum(axis=-1)
