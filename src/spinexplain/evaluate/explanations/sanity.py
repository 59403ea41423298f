"""Sanity: a map must change when the model does, and must not when nothing does."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from spinexplain.errors import ShapeError

MOST_SIMILAR = 0.2
"""An explainer whose maps stay this similar after the model was made random is flagged."""


def rank_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of pairs of heat maps.

    Parameters
    ----------
    first, second : ndarray, shape (n, *S)

    Returns
    -------
    ndarray of float, shape (n,)
        -1 to 1. Two maps without any contrast are equal (1); one alone has nothing in
        common with another (0).

    Notes
    -----
    The similarity of the randomization test of Adebayo et al. (arXiv:1810.03292), with its
    sign: an inverted map is another map.

    Examples
    --------
    >>> rank_similarity(np.array([[1.0, 2, 3]]), np.array([[10.0, 20, 90]])).tolist()
    [1.0]
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    if a.shape != b.shape or a.ndim < 2:
        raise ShapeError(f"both must have one shape (n, *S); got {a.shape} and {b.shape}.")
    ranked = [rankdata(one.reshape(len(a), -1), axis=1) for one in (a, b)]
    x, y = (one - one.mean(axis=1, keepdims=True) for one in ranked)
    norms = np.sqrt((x * x).sum(axis=1)), np.sqrt((y * y).sum(axis=1))
    product = norms[0] * norms[1]
    similar = np.divide((x * y).sum(axis=1), product, out=np.zeros(len(a)), where=product > 0)
    both_flat = (norms[0] == 0) & (norms[1] == 0)
    return np.where(both_flat, 1.0, np.round(similar, 12))


def is_flagged(similarities: np.ndarray) -> bool:
    """Whether maps stay alike though the model was made random.

    Parameters
    ----------
    similarities : ndarray, shape (n,)
        Of each map to that of the random model.

    Examples
    --------
    >>> is_flagged(np.array([0.1, 0.2])), is_flagged(np.array([0.1, 0.5]))
    (False, True)
    """
    return bool(np.mean(similarities) >= MOST_SIMILAR)
