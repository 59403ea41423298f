"""Whether model scores mean what they say: reliability by bins, and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.evaluate.grading import check_labels


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy.

    Parameters
    ----------
    ece : float
        Expected calibration error: mean distance of confidence and accuracy of the bins,
        weighted by their sizes.
    edges : tuple of float, length B + 1
    counts : tuple of int, length B
    confidence, accuracy : tuple of float, length B
        Means of each bin; NaN in an empty one.
    """

    ece: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> Reliability:
    """Compare the largest probability with how often it is right, in bins of equal width.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray, shape (n, K)
    bins : int

    Raises
    ------
    ShapeError
        If the arrays do not fit together.

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.8, 0.2]])
    >>> round(reliability(np.array([0, 1]), p).ece, 3)
    0.3
    """
    check_labels(labels, probabilities, probabilities.shape[1])
    confidence = probabilities.max(axis=1)
    return binned(confidence, probabilities.argmax(axis=1) == labels, bins)


def binned(scores: np.ndarray, happened: np.ndarray, bins: int = 10) -> Reliability:
    """Compare scores with how often what they foretell happens, in bins of equal width.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        0 to 1.
    happened : ndarray of bool, shape (n,)
    bins : int

    Examples
    --------
    >>> binned(np.array([0.25, 0.25]), np.array([True, False])).ece
    0.25
    """
    edges = np.linspace(0, 1, bins + 1)
    member = np.clip(np.digitize(scores, edges[1:-1], right=True), 0, bins - 1)
    counts = np.bincount(member, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_score = np.bincount(member, scores, bins) / counts
        share = np.bincount(member, happened, bins) / counts
    gap = np.abs(mean_score - share)
    return Reliability(
        ece=float(np.nansum(gap * counts) / len(scores)),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        confidence=tuple(mean_score.tolist()),
        accuracy=tuple(share.tolist()),
    )


@dataclass(frozen=True)
class ClassCalibration:
    """One class's own scores against how often it is the true one.

    Parameters
    ----------
    name : str
    brier : float
        Mean squared distance of its score from 1 where it is the true class, else 0.
    prior_brier : float
        The same for the constant answer: the class's share of this very set.
    reliability : Reliability
        ``confidence`` its mean score, ``accuracy`` its share, by bins.
    """

    name: str
    brier: float
    prior_brier: float
    reliability: Reliability


@dataclass(frozen=True)
class Calibration:
    """Every class's calibration, and the whole: scores against a constant answer.

    Parameters
    ----------
    brier : float
        Sum over the classes, 0 to 2.
    prior_brier : float
        Of the shares of the classes in this very set, the best constant answer.
    prior_accuracy : float
        Of always naming the commonest class.
    classes : tuple of ClassCalibration
    """

    brier: float
    prior_brier: float
    prior_accuracy: float
    classes: tuple[ClassCalibration, ...]


def calibration_of(
    labels: np.ndarray, probabilities: np.ndarray, names: Sequence[str]
) -> Calibration:
    """Compare every class's score with how often it is the true one, and with a constant.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray, shape (n, K)
    names : sequence of str, length K

    Raises
    ------
    ShapeError
        If the arrays do not fit together.

    Notes
    -----
    Brier, Monthly Weather Review 1950;78:1-3, in its form with a sum over the classes. A score
    is worth something where its Brier score is under that of the constant.

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.4, 0.6]])
    >>> found = calibration_of(np.array([0, 1]), p, ["a", "b"])
    >>> round(found.brier, 3), found.prior_brier, found.prior_accuracy
    (0.2, 0.5, 0.5)
    """
    check_labels(labels, probabilities, len(names))
    classes = tuple(
        _class_calibration(name, labels == k, probabilities[:, k]) for k, name in enumerate(names)
    )
    return Calibration(
        brier=sum(one.brier for one in classes),
        prior_brier=sum(one.prior_brier for one in classes),
        prior_accuracy=float(np.bincount(labels).max() / len(labels)),
        classes=classes,
    )


def _class_calibration(name: str, own: np.ndarray, score: np.ndarray) -> ClassCalibration:
    share = float(own.mean())
    return ClassCalibration(
        name, float(np.mean((score - own) ** 2)), share * (1 - share), binned(score, own)
    )
