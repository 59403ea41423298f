"""What the prototypes of one network are worth together: parts, shapes, and the box shown.

Cosines and winner shares are in :mod:`spinexplain.evaluate.prototypes`.
"""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError


def usual_part(parts: np.ndarray) -> tuple[int, float]:
    """Return the part a prototype points to most often, and how often.

    Parameters
    ----------
    parts : ndarray of int, shape (n,)
        Part its highest cell lies in on n vertebrae of its class, -1 outside the body.

    Returns
    -------
    part : int
        -1 where it points outside most often, or n is 0.
    share : float

    Examples
    --------
    >>> usual_part(np.array([2, 2, 5, -1]))
    (2, 0.5)
    """
    parts = np.asarray(parts, int)
    if not len(parts):
        return -1, float("nan")
    values, counts = np.unique(parts, return_counts=True)
    best = int(counts.argmax())
    return int(values[best]), float(counts[best] / len(parts))


def consistency(parts: np.ndarray, at_least: float = 0.8) -> float:
    """Return which share of prototypes point to one anatomical part nearly always.

    Parameters
    ----------
    parts : ndarray of int, shape (n, P)
        Part of each of P prototypes on n vertebrae; rows or entries of -2 are not counted
        (a prototype is judged on the vertebrae of its own class).
    at_least : float

    Returns
    -------
    float
        A prototype that points outside the body most often is not consistent.

    Notes
    -----
    The consistency score of Huang et al. (arXiv:2212.05946): the same part in at least 80 %
    of the images. Reading: parts of the vertebra's frame take the place of key points.

    Examples
    --------
    >>> consistency(np.array([[1, 0], [1, 3], [1, 0], [1, 3], [1, 3]]))
    0.5
    """
    usual = [usual_part(column[column > -2]) for column in np.asarray(parts, int).T]
    return float(np.mean([part >= 0 and share >= at_least for part, share in usual]))


def stability(before: np.ndarray, after: np.ndarray) -> float:
    """Return how often a prototype points to the same part after the image was disturbed.

    Parameters
    ----------
    before, after : ndarray of int, shape (n, P)
        Entries of -2 in ``before`` are not counted.

    Examples
    --------
    >>> stability(np.array([[1, 2], [1, -2]]), np.array([[1, 3], [1, 0]])).__round__(3)
    0.667
    """
    before, after = np.asarray(before, int), np.asarray(after, int)
    if before.shape != after.shape:
        raise ShapeError(f"before {before.shape} and after {after.shape} must have one shape.")
    counted = before > -2
    return float(np.mean(before[counted] == after[counted])) if counted.any() else float("nan")


def purity(parts: np.ndarray, similarities: np.ndarray, top: int = 10) -> np.ndarray:
    """Return how often a prototype's nearest vertebrae show it at its usual part.

    Parameters
    ----------
    parts : ndarray of int, shape (n, P)
    similarities : ndarray, shape (n, P)
    top : int
        Vertebrae looked at, most similar first.

    Returns
    -------
    ndarray of float, shape (P,)

    Notes
    -----
    As the part purity of PIP-Net (CVPR 2023): the highest share of one part among the top
    ten images; here the parts of the vertebra's frame.

    Examples
    --------
    >>> purity(np.array([[1], [1], [0]]), np.array([[3.0], [2.0], [1.0]]), top=2).tolist()
    [1.0]
    """
    parts, order = np.asarray(parts, int), np.argsort(-np.asarray(similarities), axis=0)[:top]
    nearest = np.take_along_axis(parts, order, axis=0)
    return np.array([usual_part(column)[1] for column in nearest.T])


def distinct_parts(usual: np.ndarray, owner: np.ndarray) -> dict[int, int]:
    """Count the different parts that the prototypes of each class point to.

    Parameters
    ----------
    usual : ndarray of int, shape (P,)
        Usual part of each prototype, -1 for none.
    owner : ndarray of int, shape (P,)
        Class of each.

    Examples
    --------
    >>> distinct_parts(np.array([0, 3, 3, -1]), np.array([0, 1, 1, 1]))
    {0: 1, 1: 1}
    """
    usual, owner = np.asarray(usual, int), np.asarray(owner, int)
    return {
        int(index): len(set(usual[owner == index].tolist()) - {-1}) for index in np.unique(owner)
    }


def coverage(hits: np.ndarray, groups: np.ndarray, at_least: float = 0.5) -> float:
    """Return which share of the groups of fractures at least one prototype finds.

    Parameters
    ----------
    hits : ndarray, shape (n, P)
        1 where the prototype's highest cell lies on the true evidence.
    groups : ndarray of str, shape (n,)
        Shape (wedge, biconcave, crush) or place of each fracture.
    at_least : float
        A group is found by a prototype that hits in this share of its fractures.

    Examples
    --------
    >>> coverage(np.array([[1, 0], [1, 0], [0, 0]]), np.array(["wedge", "wedge", "crush"]))
    0.5
    """
    hits, groups = np.asarray(hits, float), np.asarray(groups)
    names = np.unique(groups)
    if not len(names):
        return float("nan")
    found = [hits[groups == name].mean(axis=0).max() >= at_least for name in names]
    return float(np.mean(found))


def effective_field(influence: np.ndarray, share: float = 0.95) -> int:
    """Return the side of the smallest box around a cell's center that holds its influence.

    Parameters
    ----------
    influence : ndarray, shape (*S)
        Mean absolute derivative of a cell by each input pixel, centered on the cell.
    share : float

    Returns
    -------
    int
        Side in pixels, odd. To be compared with the theoretical field, which is the box a
        report would show.

    Notes
    -----
    Luo et al., arXiv:1701.04128: the influence is concentrated in the middle of the
    theoretical field.

    Examples
    --------
    >>> effective_field(np.array([[0, 1, 0], [1, 9, 1], [0, 1, 0]]), share=0.6)
    1
    """
    weight = np.abs(np.asarray(influence, float))
    middle = [(n - 1) / 2 for n in weight.shape]
    grid = np.indices(weight.shape)
    reach = np.max([np.abs(g - m) for g, m in zip(grid, middle, strict=True)], axis=0).ravel()
    order = np.argsort(reach, kind="stable")
    sums = np.cumsum(weight.ravel()[order])
    if sums[-1] <= 0:
        return 0
    return int(np.floor(reach[order][np.searchsorted(sums, share * sums[-1])])) * 2 + 1
