"""The last layer as what it is: a convex problem on cached similarities."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from spinexplain.config import LastLayerSettings


def fit_last_layer(
    similarities: np.ndarray,
    labels: np.ndarray,
    prototype_class: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    settings: LastLayerSettings,
) -> np.ndarray:
    """Fit class connections to cached similarities, to the optimum.

    Parameters
    ----------
    similarities : ndarray, shape (N, P)
        Similarity of each crop to each prototype.
    labels : ndarray, shape (N,) of int or (N, K) of float
        Classes, or the share of raters who saw each class.
    prototype_class : ndarray of int, shape (P,)
    weights : ndarray, shape (K,)
        Class weights of the cross-entropy.
    start : ndarray, shape (K, P)
        Connections to start from.
    settings : LastLayerSettings
        ``lambda_l1`` weighs the absolute off-class connections, ``lambda_l2`` half the
        squares of all (on separable similarities the optimum is at infinity without it);
        ``constrained`` keeps own-class connections at or above 0 and off-class ones at or
        below 0, so that a prototype always speaks for its own class.

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
    >>> ones, start = np.ones(2), np.zeros((2, 2))
    >>> w = fit_last_layer(s, np.arange(2), np.arange(2), ones, start, LastLayerSettings())
    >>> bool(w[0, 0] > 0 >= w[0, 1])
    True
    """
    own = prototype_class[None] == np.arange(len(weights))[:, None]
    signs = [(0, None) if o else (None, 0) for o in own.ravel()]
    lambda_l1, lambda_l2 = settings.lambda_l1, settings.lambda_l2

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        connections = flat.reshape(own.shape)
        value, slope = weighted_cross_entropy(connections, similarities, labels, weights)
        smooth = np.sqrt(connections**2 + 1e-12)
        value += lambda_l1 * float(smooth[~own].sum()) + lambda_l2 / 2 * float(flat @ flat)
        slope += lambda_l1 * np.where(own, 0.0, connections / smooth) + lambda_l2 * connections
        return value, slope.ravel()

    if settings.constrained:
        start = np.where(own, np.maximum(start, 0), np.minimum(start, 0))
    found = minimize(
        objective,
        start.ravel().astype(float),
        jac=True,
        method="L-BFGS-B",
        bounds=signs if settings.constrained else None,
        options={"maxiter": 2000, "ftol": 1e-12, "gtol": 1e-8},
    )
    return found.x.reshape(own.shape)


def weighted_cross_entropy(
    connections: np.ndarray, similarities: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the class-weighted cross-entropy and its slope with respect to connections.

    Shapes as in :func:`fit_last_layer`; normalized by the sum of the samples' weights, as
    torch does.
    """
    logits = similarities @ connections.T
    if labels.ndim == 2:
        return _against_shares(logits, similarities, labels * weights)
    share = weights[labels] / weights[labels].sum()
    rows = np.arange(len(labels))
    value = -float(np.sum(share * log_softmax(logits, axis=1)[rows, labels]))
    residual = softmax(logits, axis=1)
    residual[rows, labels] -= 1
    return value, (residual * share[:, None]).T @ similarities


def _against_shares(
    logits: np.ndarray, similarities: np.ndarray, weighted: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the cross-entropy against weighted shares (N, K) of the classes, and its slope."""
    weighted = weighted / weighted.sum()
    value = -float(np.sum(weighted * log_softmax(logits, axis=1)))
    residual = weighted.sum(axis=1, keepdims=True) * softmax(logits, axis=1) - weighted
    return value, residual.T @ similarities


def descend_last_layer(
    similarities: np.ndarray,
    labels: np.ndarray,
    prototype_class: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    settings: LastLayerSettings,
    seed: int = 0,
) -> np.ndarray:
    """Descend on cached similarities by Adam, as ProtoPNet's last-layer epochs do.

    Arguments and result as for :func:`fit_last_layer`; ``seed`` shuffles the batches.
    Connections may take any sign, and only ``lambda_l1`` holds them.

    Notes
    -----
    ProtoPNet passes every batch through the whole network again; as everything before the
    last layer is fixed, the cached similarities give the same gradients.
    """
    own = prototype_class[None] == np.arange(len(weights))[:, None]
    connections = start.astype(float)
    first, second = np.zeros_like(connections), np.zeros_like(connections)
    n, batch = len(labels), min(settings.batch, len(labels))
    for step in range(settings.steps):
        epoch, place = divmod(step, n // batch)
        if place == 0:
            order = np.random.default_rng([seed, 4, epoch]).permutation(n)
        rows = order[place * batch : (place + 1) * batch]
        _, slope = weighted_cross_entropy(connections, similarities[rows], labels[rows], weights)
        slope += settings.lambda_l1 * np.where(own, 0.0, np.sign(connections))
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        spread = np.sqrt(second / (1 - 0.999 ** (step + 1)))
        move = first / (1 - 0.9 ** (step + 1)) / (spread + 1e-8)
        connections = connections - settings.lr * move
    return connections


SOLVERS = {"convex": fit_last_layer, "adam": descend_last_layer}
