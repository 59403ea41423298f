"""The last layer as what it is: a convex problem on cached similarities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from spinexplain.config.training import LastLayerSettings

_LARGEST_SLOPE = 2e-8
_RESTARTS = 20


def fit_last_layer(
    similarities: np.ndarray,
    labels: np.ndarray,
    prototype_class: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    settings: LastLayerSettings,
    *,
    normalize: str = "weights",
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
        below 0, so that a prototype always speaks for its own class; ``tied`` gives all
        prototypes of a class the same own-class connection.
    normalize : str
        What the cross-entropy is divided by: the sum of the ``"weights"`` of the crops, or
        the number of ``"samples"``; ``lambda_l1`` and ``lambda_l2`` weigh against it.

    Returns
    -------
    ndarray of float64, shape (K, P)

    Notes
    -----
    Replaces ProtoPNet's twenty epochs after every projection; the problem is convex, so
    the optimum is the same. Off-class connections are the difference of two numbers not below
    0 (with the sign constraints of one), so that the L1 term has no kink to stop at.

    Examples
    --------
    >>> s = np.array([[4.0, 0.0], [0.0, 4.0]])
    >>> ones, start = np.ones(2), np.zeros((2, 2))
    >>> w = fit_last_layer(s, np.arange(2), np.arange(2), ones, start, LastLayerSettings())
    >>> bool(w[0, 0] > 0 >= w[0, 1])
    True
    """
    own = prototype_class[None] == np.arange(len(weights))[:, None]
    signed = not settings.constrained
    parts = _Parts(own, signed, settings.tied)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        connections = parts.joined(flat)
        value, slope = weighted_cross_entropy(connections, similarities, labels, weights, normalize)
        value += settings.lambda_l2 / 2 * float(np.sum(connections**2))
        value += settings.lambda_l1 * float(flat[parts.is_size].sum())
        slope += settings.lambda_l2 * connections
        return value, parts.pulled_back(slope) + settings.lambda_l1 * parts.is_size

    lowest = np.where(parts.is_size | settings.constrained, 0.0, -np.inf)
    flat = np.maximum(parts.split(start.astype(float)), lowest)
    return parts.joined(_minimized(objective, flat, lowest))


def _minimized(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    lowest: np.ndarray,
) -> np.ndarray:
    """Minimize a convex objective over numbers not below ``lowest``.

    L-BFGS-B can come to rest beside the optimum where many numbers sit on their bounds; begun
    anew from there it forgets the curvature that held it.
    """
    bounds = [(low, None) for low in lowest]
    options = {"maxiter": 5000, "maxfun": 10000, "ftol": 0.0, "gtol": _LARGEST_SLOPE / 2}
    for _ in range(_RESTARTS):
        start = minimize(
            objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        ).x
        slope = objective(start)[1]
        if np.abs(np.where(start > lowest, slope, np.minimum(slope, 0))).max() <= _LARGEST_SLOPE:
            break
    return start


class _Parts:
    """Connections as numbers whose absolute off-class sum is linear: their parts below and above 0.

    First the own-class connections (one a class where they are tied), then how far the
    off-class ones lie below 0, then, where they may have any sign, how far above.
    """

    def __init__(self, own: np.ndarray, signed: bool, tied: bool = False) -> None:
        self._own, self._signed = own, signed
        number = int(own.sum())
        whose = np.nonzero(own)[0] if tied else np.arange(number)
        self._spread = (whose[:, None] == np.unique(whose)).astype(float)
        sizes = np.ones((1 + signed) * int(np.sum(~own)), bool)
        self.is_size = np.concatenate([np.zeros(self._spread.shape[1], bool), sizes])

    def split(self, connections: np.ndarray) -> np.ndarray:
        """Return the parts of connections (K, P)."""
        off = connections[~self._own]
        above = [np.maximum(off, 0)] if self._signed else []
        shared = connections[self._own] @ self._spread / self._spread.sum(axis=0)
        return np.concatenate([shared, np.maximum(-off, 0), *above])

    def joined(self, parts: np.ndarray) -> np.ndarray:
        """Return the connections (K, P) of parts."""
        connections = np.zeros(self._own.shape)
        count, off = self._spread.shape[1], int(np.sum(~self._own))
        connections[self._own] = self._spread @ parts[:count]
        connections[~self._own] = -parts[count : count + off]
        if self._signed:
            connections[~self._own] += parts[count + off :]
        return connections

    def pulled_back(self, slope: np.ndarray) -> np.ndarray:
        """Return the slope by parts from that by connections (K, P)."""
        off = slope[~self._own]
        own = slope[self._own] @ self._spread
        return np.concatenate([own, -off, *([off] if self._signed else [])])


def weighted_cross_entropy(
    connections: np.ndarray,
    similarities: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    normalize: str = "weights",
) -> tuple[float, np.ndarray]:
    """Return the class-weighted cross-entropy and its slope with respect to connections.

    Shapes and ``normalize`` as in :func:`fit_last_layer`; by the sum of the crops' weights, as
    torch divides, unless it says ``"samples"``.
    """
    logits = similarities @ connections.T
    if labels.ndim == 2:
        weighted = labels * weights
        return _against_shares(logits, similarities, weighted / _divisor(weighted, normalize))
    share = weights[labels] / _divisor(weights[labels], normalize)
    rows = np.arange(len(labels))
    value = -float(np.sum(share * log_softmax(logits, axis=1)[rows, labels]))
    residual = softmax(logits, axis=1)
    residual[rows, labels] -= 1
    return value, (residual * share[:, None]).T @ similarities


def _divisor(weighted: np.ndarray, normalize: str) -> float:
    return float(len(weighted)) if normalize == "samples" else float(weighted.sum())


def _against_shares(
    logits: np.ndarray, similarities: np.ndarray, weighted: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the cross-entropy against weighted shares (N, K) of the classes, and its slope."""
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
    *,
    normalize: str = "weights",
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
        _, slope = weighted_cross_entropy(
            connections, similarities[rows], labels[rows], weights, normalize
        )
        slope += settings.lambda_l1 * np.where(own, 0.0, np.sign(connections))
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        spread = np.sqrt(second / (1 - 0.999 ** (step + 1)))
        move = first / (1 - 0.9 ** (step + 1)) / (spread + 1e-8)
        connections = connections - settings.lr * move
    return connections


SOLVERS = {"convex": fit_last_layer, "adam": descend_last_layer}
