"""What a set of prototypes is worth: how alike they are, and which of them do the work."""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError


def cosine_matrix(vectors: np.ndarray, center: np.ndarray | None = None) -> np.ndarray:
    """Return the cosine of every pair of prototype vectors.

    Parameters
    ----------
    vectors : ndarray, shape (P, D)
    center : ndarray, shape (D,), optional
        Taken off every vector first: the mean of the training patches. Without it, any
        two vectors of a sigmoid space are alike, because all have positive entries.

    Returns
    -------
    ndarray of float, shape (P, P)
        Symmetric, 1 on the diagonal; 0 beside a vector without length.

    Raises
    ------
    ShapeError
        If ``vectors`` is not 2-D or ``center`` has another length.

    Examples
    --------
    >>> cosine_matrix(np.array([[2.0, 1], [1, 2]])).round(2).tolist()
    [[1.0, 0.8], [0.8, 1.0]]
    >>> cosine_matrix(np.array([[2.0, 1], [1, 2]]), center=np.array([1.0, 1])).round(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    vectors = np.asarray(vectors, dtype=float)
    if vectors.ndim != 2 or (center is not None and np.shape(center) != vectors.shape[1:]):
        raise ShapeError(
            f"vectors must have shape (P, D) and center (D,); got {vectors.shape} and "
            f"{None if center is None else np.shape(center)}."
        )
    moved = vectors if center is None else vectors - center
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit = np.divide(moved, length, out=np.zeros_like(moved), where=length > 0)
    cosine = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(cosine, 1.0)
    return cosine


def same_class_cosine(cosine: np.ndarray, owner: np.ndarray) -> float:
    """Return the mean cosine over unordered pairs of prototypes of one class.

    Parameters
    ----------
    cosine : ndarray, shape (P, P)
    owner : ndarray of int, shape (P,)
        Class of each prototype.

    Returns
    -------
    float
        NaN where no class has two prototypes.

    Examples
    --------
    >>> same_class_cosine(np.array([[1, 0.4, 0.9], [0.4, 1, 0.9], [0.9, 0.9, 1]]), [0, 0, 1])
    0.4
    """
    owner = np.asarray(owner)
    first, second = np.triu_indices(len(owner), 1)
    same = owner[first] == owner[second]
    return float(np.mean(cosine[first[same], second[same]])) if same.any() else float("nan")


def winner_share(similarities: np.ndarray, labels: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return how often each prototype is the most similar one of its class to a class's crop.

    Parameters
    ----------
    similarities : ndarray, shape (n, P)
        Of every crop to every prototype.
    labels : ndarray of int, shape (n,)
        True class of every crop.
    owner : ndarray of int, shape (P,)
        Class of each prototype.

    Returns
    -------
    ndarray of float, shape (P,)
        The shares of a class's prototypes sum to 1; ties go to the first. NaN where the
        class has no crop.

    Examples
    --------
    Two prototypes of one class, three crops; the second wins once:

    >>> winner_share(np.array([[3, 1], [2, 1], [0, 1]]), [0, 0, 0], [0, 0]).round(2).tolist()
    [0.67, 0.33]
    """
    similarities, labels, owner = np.asarray(similarities), np.asarray(labels), np.asarray(owner)
    _check(similarities, labels, owner)
    shares = np.full(len(owner), np.nan)
    for index in np.unique(owner):
        members, crops = np.flatnonzero(owner == index), labels == index
        if crops.any():
            winners = similarities[np.ix_(crops, members)].argmax(axis=1)
            shares[members] = np.bincount(winners, minlength=len(members)) / crops.sum()
    return shares


def usage(similarities: np.ndarray, connections: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return what part of the evidence for its class each prototype brings.

    Parameters
    ----------
    similarities : ndarray, shape (n, P)
        Not below 0.
    connections : ndarray, shape (K, P)
        Class connections.
    owner : ndarray of int, shape (P,)

    Returns
    -------
    ndarray of float, shape (P,)
        Mean, over the crops that the model gives the prototype's class, of its contribution
        to that class's logit divided by the sum of all contributions above 0. 0 for a
        prototype that speaks against its class; NaN where no crop is given the class.

    Examples
    --------
    >>> similarities = np.array([[3.0, 1.0]])
    >>> usage(similarities, np.array([[1.0, 1.0], [0.0, 0.0]]), [0, 0]).tolist()
    [0.75, 0.25]
    """
    similarities, connections, owner = (
        np.asarray(similarities, dtype=float),
        np.asarray(connections, dtype=float),
        np.asarray(owner),
    )
    graded = (similarities @ connections.T).argmax(axis=1)
    _check(similarities, graded, owner)
    shares = np.full(len(owner), np.nan)
    for index in np.unique(owner):
        speaking = np.clip(similarities[graded == index] * connections[index], 0, None)
        if len(speaking):
            total = speaking.sum(axis=1, keepdims=True)
            part = np.divide(speaking, total, out=np.zeros_like(speaking), where=total > 0)
            members = owner == index
            shares[members] = part.mean(axis=0)[members]
    return shares


def _check(similarities: np.ndarray, labels: np.ndarray, owner: np.ndarray) -> None:
    if similarities.shape != (len(labels), len(owner)):
        raise ShapeError(
            f"similarities must have shape (n, P) = {(len(labels), len(owner))}; "
            f"got {similarities.shape}."
        )
