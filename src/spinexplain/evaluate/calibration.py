"""Whether model scores mean what they say: reliability by bins, and its summary."""

from __future__ import annotations

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
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    member = np.clip(np.digitize(confidence, edges[1:-1], right=True), 0, bins - 1)
    counts = np.bincount(member, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(member, confidence, bins) / counts
        mean_accuracy = np.bincount(member, right, bins) / counts
    gap = np.abs(mean_confidence - mean_accuracy)
    return Reliability(
        ece=float(np.nansum(gap * counts) / len(labels)),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        confidence=tuple(mean_confidence.tolist()),
        accuracy=tuple(mean_accuracy.tolist()),
    )
