"""Which class is explained: that of the fracture there is, or that which would be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import softmax

from spinexplain.config.tasks import TASKS, healthy_class
from spinexplain.models.bundle.description import BundleDescription


def grades_of_classes(described: BundleDescription) -> dict[str, tuple[str, ...]]:
    """Return which Genant grades each class of a model stands for.

    As its training says; where that says nothing, as the named tasks do, or the class is a
    grade itself.
    """
    config = described.training.get("config")
    known = config.get("grades", {}) if isinstance(config, dict) else {}
    usual = TASKS["fracture"]
    return {name: tuple(known.get(name, usual.get(name, (name,)))) for name in described.classes}


def fracture_classes(classes: Sequence[str]) -> list[int]:
    """Return the indices of the classes that mean a fracture.

    Examples
    --------
    >>> fracture_classes(("G0", "G2", "G3"))
    [1, 2]
    """
    healthy = healthy_class(classes)
    return [index for index, name in enumerate(classes) if name != healthy]


def explained_class(
    grade: str, logits: np.ndarray, classes: Sequence[str], task: Mapping[str, Sequence[str]]
) -> int:
    """Return the index of the class whose evidence is scored on one vertebra.

    Parameters
    ----------
    grade : str
        True Genant grade.
    logits : ndarray, shape (K,)
    classes : sequence of str
    task : mapping of str to sequence of str
        Which grades each class stands for.

    Returns
    -------
    int
        The class of a true fracture; in any other vertebra the fracture class with the
        highest logit, which is what a false alarm would show.

    Examples
    --------
    >>> task = {"G0": ["G0"], "G2": ["G2"], "G3": ["G3"]}
    >>> explained_class("G3", np.zeros(3), list(task), task)
    2
    >>> explained_class("G0", np.array([5.0, 1.0, 2.0]), list(task), task)
    2
    """
    candidates = fracture_classes(classes)
    own = [index for index in candidates if grade in task.get(classes[index], ())]
    if own:
        return own[0]
    return max(candidates, key=lambda index: float(logits[index]))


def fracture_probability(logits: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the probability of any fracture, shape (...), from logits (..., K).

    Examples
    --------
    >>> fracture_probability(np.array([[0.0, 0.0]]), ("no fracture", "fracture")).tolist()
    [0.5]
    """
    scores = softmax(np.asarray(logits, float), axis=-1)
    return scores[..., fracture_classes(classes)].sum(axis=-1)
