"""Training patches and prototypes in a plane."""

from __future__ import annotations

import numpy as np

from spinexplain.analysis.atlas.record import Embedding

POINTS_PER_CLASS = 250
PAIRS = 2000


def embed(
    patches: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    before: np.ndarray | None,
    after: np.ndarray,
    seed: int,
) -> Embedding:
    """Project patches and prototypes onto the two main axes of the patches.

    Parameters
    ----------
    patches : ndarray, shape (n, D)
    labels : ndarray of int, shape (n,)
    classes : tuple of str
    before, after : ndarray, shape (P, D)
        Prototypes before (or None) and after projection.
    seed : int
        Of the sample that is drawn; at most ``POINTS_PER_CLASS`` a class.

    Returns
    -------
    Embedding

    Notes
    -----
    Principal components and no curved embedding: the way a prototype travelled stays a
    straight line of comparable length. Every class weighs the same in the axes.
    """
    from sklearn.decomposition import PCA

    rng = np.random.default_rng([seed, 4])
    rows = np.concatenate(
        [_drawn(np.flatnonzero(labels == k), rng) for k in range(len(classes))]
    ).astype(int)
    with np.errstate(invalid="ignore"):  # a network that gives one patch everywhere: 0 / 0
        plane = PCA(n_components=2, svd_solver="full").fit(patches[rows])
    first, second = np.nan_to_num(plane.explained_variance_ratio_)
    return Embedding(
        points=plane.transform(patches[rows]),
        classes=tuple(classes[k] for k in labels[rows]),
        before=None if before is None else plane.transform(before),
        after=plane.transform(after),
        explained=(float(first), float(second)),
    )


def typical_pair(
    patches: np.ndarray, labels: np.ndarray, center: np.ndarray, seed: int
) -> tuple[float, float, float]:
    """Say how far apart and how alike two random patches of one class are.

    Parameters
    ----------
    patches : ndarray, shape (n, D)
    labels : ndarray of int, shape (n,)
    center : ndarray, shape (D,)
    seed : int

    Returns
    -------
    tuple of 3 floats
        Median distance, mean raw cosine and mean cosine with ``center`` taken off; NaN
        where no class has two patches.

    Examples
    --------
    >>> patches = np.array([[4.0, 0.0], [0.0, 3.0]])
    >>> typical_pair(patches, np.array([0, 0]), np.zeros(2), seed=0)
    (5.0, 0.0, 0.0)
    """
    rng = np.random.default_rng([seed, 5])
    drawn = [_pairs(np.flatnonzero(labels == k), rng) for k in np.unique(labels)]
    first, second = np.concatenate(drawn, axis=1)
    if not len(first):
        return float("nan"), float("nan"), float("nan")
    one, other = patches[first], patches[second]
    distance = float(np.median(np.linalg.norm(one - other, axis=1)))
    return distance, _mean_cosine(one, other), _mean_cosine(one - center, other - center)


def _pairs(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(rows) < 2:
        return np.zeros((2, 0), int)
    first = rng.integers(len(rows), size=PAIRS)
    second = (first + rng.integers(1, len(rows), size=PAIRS)) % len(rows)
    return np.stack([rows[first], rows[second]])


def _mean_cosine(one: np.ndarray, other: np.ndarray) -> float:
    length = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(np.mean((one * other).sum(axis=1) / np.maximum(length, 1e-12)))


def _drawn(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(rows)[:POINTS_PER_CLASS])
