"""Counterfactual twins: the same spine without its fracture, and what the evidence does."""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.localization import energy_inside


def falls(strengths: np.ndarray, twins: np.ndarray) -> float:
    """Return in which share of pairs the evidence is weaker on the healthy twin.

    Parameters
    ----------
    strengths, twins : ndarray, shape (n,)
        Strength of the evidence for fracture, with the fracture and without.

    Examples
    --------
    Equal strengths count half:

    >>> falls(np.array([2.0, 3, 1, 1]), np.array([1.0, 1, 1, 2]))
    0.625
    """
    first, second = _paired(strengths, twins)
    return float(np.mean((first > second) + 0.5 * (first == second)))


def relative_fall(strengths: np.ndarray, twins: np.ndarray) -> float:
    """Return how much of the evidence vanishes with the fracture: 1 all of it, 0 nothing.

    Notes
    -----
    1 - sum(twin) / sum(fractured): a ratio of sums, as single strengths may be near 0.

    Examples
    --------
    >>> relative_fall(np.array([2.0, 2.0]), np.array([0.0, 1.0]))
    0.75
    """
    first, second = _paired(strengths, twins)
    total = first.sum()
    return float(1 - second.sum() / total) if total > 0 else float("nan")


def twin_auc(strengths: np.ndarray, twins: np.ndarray) -> float:
    """Return how well strength separates fractured vertebrae from all the healthy twins.

    Notes
    -----
    Area under the ROC curve: the share of all n x n pairs, not only of twins, in order.

    Examples
    --------
    >>> twin_auc(np.array([2.0, 3.0]), np.array([1.0, 2.5]))
    0.75
    """
    from sklearn.metrics import roc_auc_score

    first, second = _paired(strengths, twins)
    if not len(first):
        return float("nan")
    labels = np.repeat([1, 0], len(first))
    return float(roc_auc_score(labels, np.concatenate([first, second])))


def change_inside(heatmaps: np.ndarray, twin_maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return which share of what the fracture changed in a map lies on the true evidence.

    Parameters
    ----------
    heatmaps, twin_maps : ndarray, shape (n, *S)
    masks : ndarray of bool, shape (n, *S)

    Returns
    -------
    ndarray of float, shape (n,)

    Notes
    -----
    sum(|h - h'| m) / sum(|h - h'|). A map that does not change scores the mask's share of
    the patch.

    Examples
    --------
    >>> change_inside(np.array([[3.0, 1]]), np.array([[0.0, 2]]), np.array([[1, 0]])).tolist()
    [0.75]
    """
    return energy_inside(np.abs(np.asarray(heatmaps, float) - twin_maps), masks)


def _paired(strengths: np.ndarray, twins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(strengths, float), np.asarray(twins, float)
    if first.shape != second.shape or first.ndim != 1:
        raise ShapeError(
            f"strengths and twins must have one shape (n,); got {first.shape} and {second.shape}."
        )
    return first, second
