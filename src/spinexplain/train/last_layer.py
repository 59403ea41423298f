"""The last layer as what it is: a convex problem on cached similarities."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax


def fit_last_layer(
    similarities: np.ndarray,
    labels: np.ndarray,
    prototype_class: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    lambda_l1: float = 1e-4,
    constrained: bool = True,
) -> np.ndarray:
    """Fit class connections to cached similarities, to the optimum.

    Parameters
    ----------
    similarities : ndarray, shape (N, P)
        Similarity of each crop to each prototype.
    labels : ndarray of int, shape (N,)
    prototype_class : ndarray of int, shape (P,)
    weights : ndarray, shape (K,)
        Class weights of the cross-entropy.
    start : ndarray, shape (K, P)
        Connections to start from.
    lambda_l1 : float
        Weight of the absolute off-class connections.
    constrained : bool
        Own-class connections not below 0, off-class connections not above 0, so that a
        prototype always speaks for its own class.

    Returns
    -------
    ndarray of float64, shape (K, P)

    Notes
    -----
    Replaces ProtoPNet's twenty epochs after every projection; the problem is convex, so
    the optimum is the same. With the sign constraints the L1 term is linear; without
    them its kink at 0 is smoothed over 1e-6.

    Examples
    --------
    >>> s = np.array([[4.0, 0.0], [0.0, 4.0]])
    >>> w = fit_last_layer(s, np.arange(2), np.arange(2), np.ones(2), np.zeros((2, 2)))
    >>> bool(w[0, 0] > 0 >= w[0, 1])
    True
    """
    own = prototype_class[None] == np.arange(len(weights))[:, None]
    bounds = [(0, None) if o else (None, 0) for o in own.ravel()] if constrained else None
    shape = own.shape

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        connections = flat.reshape(shape)
        value, slope = weighted_cross_entropy(connections, similarities, labels, weights)
        smooth = np.sqrt(connections**2 + 1e-12)
        value += lambda_l1 * float(smooth[~own].sum())
        slope += lambda_l1 * np.where(own, 0.0, connections / smooth)
        return value, slope.ravel()

    first = np.where(own, np.maximum(start, 0), np.minimum(start, 0)) if constrained else start
    found = minimize(
        objective,
        first.ravel().astype(float),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 2000, "ftol": 1e-12, "gtol": 1e-8},
    )
    return found.x.reshape(shape)


def weighted_cross_entropy(
    connections: np.ndarray, similarities: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the class-weighted cross-entropy and its slope with respect to connections.

    Shapes as in :func:`fit_last_layer`; normalized by the sum of the samples' weights, as
    torch does.
    """
    logits = similarities @ connections.T
    share = weights[labels] / weights[labels].sum()
    rows = np.arange(len(labels))
    value = -float(np.sum(share * log_softmax(logits, axis=1)[rows, labels]))
    residual = softmax(logits, axis=1)
    residual[rows, labels] -= 1
    return value, (residual * share[:, None]).T @ similarities
