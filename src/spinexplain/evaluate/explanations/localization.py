"""Localization: how much of a heat map lies on a region, by five measures.

All take heat maps (n, *S) and masks (n, *S), and return one figure a map. Equal values are
treated as if their order were drawn: a uniform map scores the share of the patch that is
mask, not 0 or 1 by the accident of sorting. A map that is 0 everywhere counts as uniform.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinexplain.errors import ShapeError

TOP_SHARE = 0.02


def pointing_game(heatmaps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return whether the highest value lies in the mask.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
    masks : ndarray of bool, shape (n, *S)

    Returns
    -------
    ndarray of float, shape (n,)
        1 or 0; where several samples share the highest value, the share of them inside.

    Notes
    -----
    Zhang et al., arXiv:1608.00507, without a margin.

    Examples
    --------
    >>> pointing_game(np.array([[0, 2, 1], [1, 1, 0]]), np.array([[0, 1, 0], [0, 1, 1]])).tolist()
    [1.0, 0.5]
    """
    maps, inside = _flat(heatmaps, masks)
    top = maps >= maps.max(axis=1, keepdims=True)
    return (top & inside).sum(axis=1) / top.sum(axis=1)


def energy_inside(heatmaps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return which share of a heat map's sum lies in the mask.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
        Values below 0 count as 0.
    masks : ndarray of bool, shape (n, *S)

    Notes
    -----
    sum(max(h, 0) m) / sum(max(h, 0)): the energy-based pointing game of Score-CAM
    (arXiv:1910.01279), also called relevance mass accuracy (arXiv:2003.07258).

    Examples
    --------
    >>> energy_inside(np.array([[1.0, 3.0, -5.0]]), np.array([[0, 1, 1]])).tolist()
    [0.75]
    """
    maps, inside = _flat(heatmaps, masks)
    positive = np.clip(maps, 0, None)
    positive[positive.sum(axis=1) == 0] = 1.0
    return (positive * inside).sum(axis=1) / positive.sum(axis=1)


def top_share(heatmaps: np.ndarray, masks: np.ndarray, share: float = TOP_SHARE) -> np.ndarray:
    """Return which part of a heat map's highest samples lies in the mask.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
    masks : ndarray of bool, shape (n, *S)
    share : float
        Of the patch's samples, 2 % by default; at least one sample.

    Notes
    -----
    |top_k(h) & m| / k, the precision at k.

    Examples
    --------
    >>> top_share(np.array([[4.0, 3, 2, 1]]), np.array([[1, 0, 0, 0]]), share=0.5).tolist()
    [0.5]
    """
    maps, inside = _flat(heatmaps, masks)
    count = np.full(len(maps), max(round(share * maps.shape[1]), 1))
    return _top_inside(maps, inside, count) / count


def matched_iou(heatmaps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return the intersection over union with the mask, of as many samples as the mask has.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
    masks : ndarray of bool, shape (n, *S)

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where the mask is empty.

    Notes
    -----
    With k = |m| and r = |top_k(h) & m| / k (the relevance rank accuracy of
    arXiv:2003.07258), IoU = r / (2 - r): no threshold has to be chosen.

    Examples
    --------
    >>> matched_iou(np.array([[4.0, 3, 2, 1]]), np.array([[1, 0, 1, 0]])).round(3).tolist()
    [0.333]
    """
    maps, inside = _flat(heatmaps, masks)
    count = inside.sum(axis=1)
    hit = _top_inside(maps, inside, np.maximum(count, 1)) / np.where(count, count, np.nan)
    return hit / (2 - hit)


def precision_recall_area(heatmaps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return the area under precision over recall, samples ranked by the heat map.

    Parameters
    ----------
    heatmaps : ndarray, shape (n, *S)
    masks : ndarray of bool, shape (n, *S)

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where the mask is empty. A uniform map scores the mask's share of the patch.

    Notes
    -----
    Average precision, sum over thresholds of (R_t - R_(t-1)) P_t; equal values are one
    threshold.

    Examples
    --------
    >>> area = precision_recall_area(np.array([[4.0, 3, 2, 1]]), np.array([[1, 0, 1, 0]]))
    >>> area.round(3).tolist()
    [0.833]
    """
    maps, inside = _flat(heatmaps, masks)
    return np.array([_average_precision(*pair) for pair in zip(maps, inside, strict=True)])


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "pointing_game": pointing_game,
    "energy_inside": energy_inside,
    "top_share": top_share,
    "matched_iou": matched_iou,
    "precision_recall_area": precision_recall_area,
}
"""By name: a new measure is its function and one line here."""


def _flat(heatmaps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    maps, inside = np.asarray(heatmaps, float), np.asarray(masks) > 0
    if maps.ndim < 2 or maps.shape != inside.shape:
        raise ShapeError(
            f"heat maps and masks must both have shape (n, *S); got {maps.shape} and "
            f"{inside.shape}."
        )
    if not np.isfinite(maps).all():
        raise ShapeError("heat maps must be finite; got NaN or infinity. Check the explainer.")
    return maps.reshape(len(maps), -1).copy(), inside.reshape(len(maps), -1)


def _top_inside(maps: np.ndarray, inside: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count how many of the top samples of each map are inside, equal values in shares."""
    found = np.empty(len(maps))
    for row, (values, mask, count) in enumerate(zip(maps, inside, counts, strict=True)):
        edge = np.partition(values, len(values) - count)[len(values) - count]
        above, equal = values > edge, values == edge
        share = (count - above.sum()) / equal.sum()
        found[row] = (above & mask).sum() + share * (equal & mask).sum()
    return found


def _average_precision(values: np.ndarray, mask: np.ndarray) -> float:
    if not mask.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]), -1) != 0)
    hits = np.cumsum(mask[order])[ends]
    return float(np.sum(np.diff(hits, prepend=0) * hits / (ends + 1)) / hits[-1])
