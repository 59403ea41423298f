"""Placement: whether a heat map points to the right part of the vertebra.

Unlike a share of the evidence mask, placement is balanced: each answer counts the same, so
that a map which does not look at the image is right as often as a coin.
"""

from __future__ import annotations

import numpy as np

from spinexplain.errors import ShapeError


def region_strengths(heatmaps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return the mean of each heat map over each of its regions.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
    regions : ndarray of bool, shape (n, K, *S)

    Returns
    -------
    ndarray of float, shape (n, K)
        0 for a region without samples. The mean, not the sum: a large region must not win
        by its size.

    Raises
    ------
    ShapeError
        If the shapes do not belong together.

    Examples
    --------
    >>> region_strengths(np.array([[1.0, 3, 5]]), np.array([[[1, 1, 0], [0, 0, 1]]], bool)).tolist()
    [[2.0, 5.0]]
    """
    maps, parts = np.asarray(heatmaps, float), np.asarray(regions, bool)
    if parts.ndim != maps.ndim + 1 or parts.shape[:1] + parts.shape[2:] != maps.shape:
        raise ShapeError(
            f"regions must have shape (n, K, *S) for heat maps (n, *S); got {parts.shape} and "
            f"{maps.shape}."
        )
    flat, masks = maps.reshape(len(maps), -1), parts.reshape(*parts.shape[:2], -1)
    sums = np.stack([mask @ row for mask, row in zip(masks, flat, strict=True)])
    return sums / np.maximum(masks.sum(axis=2), 1)


def chosen_parts(strengths: np.ndarray) -> np.ndarray:
    """Return which part each map chooses; equally strong parts share the choice.

    Parameters
    ----------
    strengths : ndarray, shape (n, K)
        See :func:`region_strengths`.

    Returns
    -------
    ndarray of float, shape (n, K)
        Rows sum to 1.

    Examples
    --------
    >>> chosen_parts(np.array([[1.0, 2.0], [1.0, 1.0]])).tolist()
    [[0.0, 1.0], [0.5, 0.5]]
    """
    values = np.asarray(strengths, float)
    best = values >= values.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


def placement(choices: np.ndarray, truth: np.ndarray) -> float:
    """Return how often the right part is chosen, each part counting the same.

    Parameters
    ----------
    choices : ndarray of float, shape (n, K)
        See :func:`chosen_parts`.
    truth : ndarray of int, shape (n,)
        Index of the true part; rows with -1 (not one part alone) are left out.

    Returns
    -------
    float
        0 to 1, chance 1/K. NaN where a part is never the true one: without both sides the
        question cannot be asked.

    Notes
    -----
    Balanced accuracy, (1/K) sum over k of mean over {i: truth_i = k} of c_ik. A map that is
    the same in every vertebra's frame makes the same choice c everywhere and scores
    (1/K) sum over k of c_k = 1/K, exactly, whatever the shares of the parts.

    Examples
    --------
    Always "superior", on three superior fractures and one inferior one:

    >>> placement(np.array([[1.0, 0], [1, 0], [1, 0], [1, 0]]), np.array([0, 0, 0, 1]))
    0.5
    """
    choices, truth = np.asarray(choices, float), np.asarray(truth)
    if choices.ndim != 2 or truth.shape != choices.shape[:1]:
        raise ShapeError(
            f"choices must have shape (n, K) and truth (n,); got {choices.shape} and {truth.shape}."
        )
    right = [choices[truth == part, part] for part in range(choices.shape[1])]
    if any(not len(one) for one in right):
        return float("nan")
    return float(np.mean([one.mean() for one in right]))


def exchanged_choices(heatmaps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return what each vertebra's regions make all maps choose: the image-blind part.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
        On crops that are aligned, all centered on the vertebra's centroid.
    regions : ndarray of bool, shape (n, K, *S)

    Returns
    -------
    ndarray of float, shape (n, K)
        Row i is the mean choice of all n maps, laid on vertebra i.

    Notes
    -----
    A map that is the same in every crop chooses the same before and after the exchange. So
    the placement of own choices minus that of exchanged ones is exactly 0 for every
    image-blind map, even where size or tilt of the regions is tied to the fracture's place.

    Examples
    --------
    >>> maps = np.array([[1.0, 0], [0, 1]])
    >>> halves = np.array([[[1, 0], [0, 1]]] * 2, bool)
    >>> exchanged_choices(maps, halves).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    maps = np.asarray(heatmaps, np.float32).reshape(len(heatmaps), -1)
    parts = np.asarray(regions, bool)
    masks = parts.reshape(*parts.shape[:2], -1)
    return np.stack([chosen_parts(_means(maps, own)).mean(axis=0) for own in masks])


def _means(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return the mean of all maps (n, P) in the regions (K, P) of one vertebra, (n, K)."""
    sums = [maps[:, mask].mean(axis=1) if mask.any() else np.zeros(len(maps)) for mask in masks]
    return np.stack(sums, axis=1).astype(float)


def true_parts(shares: np.ndarray, at_least: float = 0.7) -> np.ndarray:
    """Return the part that holds most of the true evidence.

    Parameters
    ----------
    shares : ndarray, shape (n, K)
        How much of the displacement, or of the evidence mask, lies in each part.
    at_least : float
        A part must hold this share of the sum; vertebrae without such a part are not asked
        about (a crush has both endplates).

    Returns
    -------
    ndarray of int, shape (n,)
        -1 where no part does.

    Examples
    --------
    >>> true_parts(np.array([[8, 2], [5, 5], [0, 0]])).tolist()
    [0, -1, -1]
    """
    amounts = np.asarray(shares, float)
    total = amounts.sum(axis=1)
    best = amounts.argmax(axis=1)
    enough = (total > 0) & (amounts.max(axis=1) >= at_least * np.maximum(total, 1e-12))
    return np.where(enough, best, -1)


def mask_shares(mask: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return how many samples of one vertebra's evidence mask lie in each region, (K,).

    Parameters
    ----------
    mask : ndarray of bool, shape (*S)
    regions : ndarray of bool, shape (K, *S)

    Examples
    --------
    >>> mask_shares(np.array([1, 1, 0, 1]), np.array([[1, 1, 0, 0], [0, 0, 1, 1]])).tolist()
    [2, 1]
    """
    inside = np.asarray(regions, bool) & np.asarray(mask, bool)
    return inside.reshape(len(inside), -1).sum(axis=1)


def neighbor_placement(strengths: np.ndarray, fractured_first: np.ndarray) -> float:
    """Return how often, of two adjacent vertebrae, the fractured one has the stronger evidence.

    Parameters
    ----------
    strengths : ndarray, shape (n, 2)
        Strength of the evidence for fracture of the upper and of the lower vertebra of each
        pair, each explained in its own crop. One of the two is fractured.
    fractured_first : ndarray of bool, shape (n,)
        Whether the upper one is.

    Returns
    -------
    float
        :func:`placement` with two answers: pairs with the upper and with the lower one
        fractured count the same. Chance is 0.5, and exactly so for a map that does not look.

    Examples
    --------
    >>> neighbor_placement(np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([True, False]))
    0.75
    """
    truth = np.where(np.asarray(fractured_first, bool), 0, 1)
    return placement(chosen_parts(strengths), truth)
