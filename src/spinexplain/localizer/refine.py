"""Centers moved onto the bodies: the body network's mask says where a body's middle is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spinexplain.geometry import BoxFrame, Curve, box_axes, fit_curve
from spinexplain.localizer.body_frame import BODY_SHAPE, BODY_STEP_MM
from spinexplain.localizer.networks import Network
from spinexplain.localizer.segment import body_shares
from spinexplain.spine.body_middle import middle_between_walls
from spinexplain.types import Volume

_CAUDAL = np.array([0.0, 0.0, -1.0])
_INSIDE = 0.5
_LEAST_MM3, _MOST_MM3 = 1500.0, 90_000.0  # of a body; T1 of a small person has 4,000
_MOST_MOVED_MM = 15.0
_MOST_OFF_MM = 5.0  # from a body's mean to halfway between its walls
_SAME_BODY = 0.45  # centers nearer than this share of their distance to expect are one body's
_KNOT_MM = 12.0
_OFF_LINE_MM, _OFF_END_MM = 9.0, 14.0  # farther from where its neighbors put it, it is no body
_NEIGHBORS = 2


@dataclass(frozen=True, eq=False)
class BodyPlaces:
    """Where bodies lie, RAS+ mm, shape (k, 3) each.

    Parameters
    ----------
    means_mm : ndarray
        Of what is painted; chains are judged by them.
    middles_mm : ndarray
        Halfway between the walls, where the rest of the product wants a center.
    """

    means_mm: np.ndarray
    middles_mm: np.ndarray


def onto_bodies(
    volume: Volume,
    places: BodyPlaces,
    cut: np.ndarray,
    network: Network,
    which: Iterable[int],
) -> BodyPlaces:
    """Move centers to the bodies that the network paints around them.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    places : BodyPlaces
        Centers head to foot, as far as they are known.
    cut : ndarray of bool, shape (k,)
        Bodies that the border of the scan cuts; they move across the spine only, since what
        is left of them has another middle.
    network : callable
        See :class:`~spinexplain.models.body_network.BodyNetwork`.
    which : iterable of int
        Which centers are moved.

    Returns
    -------
    BodyPlaces
        A center whose mask is no body by its size, or lies more than 15 mm away, stays.
    """
    centers = np.array(places.means_mm, float)
    means, middles = centers.copy(), np.array(places.middles_mm, float)
    along = tangents(centers)
    asked = list(which)
    frames = [BoxFrame(centers[k], box_axes(along[k]), BODY_SHAPE, BODY_STEP_MM) for k in asked]
    shares = body_shares(volume, frames, network)
    for k, frame, share in zip(asked, frames, shares, strict=True):
        place = mask_place(share, frame)
        if place is None:
            continue
        moves = place - centers[k]
        if cut[k]:
            moves = moves - np.outer(moves @ along[k], along[k])
        if np.linalg.norm(moves[0]) <= _MOST_MOVED_MM:
            means[k], middles[k] = centers[k] + moves
    return BodyPlaces(means, middles)


def mask_place(share: np.ndarray, frame: BoxFrame) -> np.ndarray | None:
    """Return mean and middle of a mask, or None where it has not a body's size.

    Parameters
    ----------
    share : ndarray, shape of ``frame``
        Probability of the body.
    frame : BoxFrame

    Returns
    -------
    ndarray, shape (2, 3), or None
        RAS+ mm. The middle is :func:`~spinexplain.spine.body_middle.middle_between_walls`, or
        the mean once more where walls are not found, or not near it.

    Examples
    --------
    >>> frame = BoxFrame(np.zeros(3), box_axes(np.array([0.0, 0.0, -1.0])), (20, 20, 20), 1.0)
    >>> share = np.zeros((20, 20, 20))
    >>> share[2:18, 4:20, 2:18] = 0.9
    >>> mask_place(share, frame)[0].round(1).tolist()
    [0.0, -2.0, 0.0]
    """
    inside = share > _INSIDE
    size = inside.sum() * frame.spacing_mm**3
    if not _LEAST_MM3 <= size <= _MOST_MM3:
        return None
    weights = share[inside]
    mean = np.array([np.average(axis, weights=weights) for axis in np.nonzero(inside)])
    middle = middle_between_walls(share, mean, frame.spacing_mm)
    if middle is None or np.linalg.norm(middle - mean) * frame.spacing_mm > _MOST_OFF_MM:
        middle = mean
    return np.asarray(frame.to_mm(np.stack([mean, middle])))


def tangents(centers_mm: np.ndarray) -> np.ndarray:
    """Return the caudal direction at every center, shape (k, 3); straight down for a single one."""
    if len(centers_mm) < 2:
        return np.tile(_CAUDAL, (len(centers_mm), 1))
    curve = fit_curve(centers_mm, _CAUDAL)
    return curve.tangent(curve.knots_s_mm)


def apart(centers_mm: np.ndarray, found: np.ndarray, expected_mm: np.ndarray) -> np.ndarray:
    """Say which centers to keep so that no two are one body's, bool, shape (k,).

    Parameters
    ----------
    centers_mm : ndarray, shape (k, 3)
        Head to foot.
    found : ndarray, shape (k,)
        How probable each is; of two that are too near the less probable goes.
    expected_mm : ndarray, shape (k,)
        Distance to expect to the neighbors.

    Examples
    --------
    >>> centers = np.array([[0.0, 0, 60], [0, 0, 30], [0, 0, 26], [0, 0, 0]])
    >>> apart(centers, np.array([0.9, 0.4, 0.8, 0.9]), np.full(4, 30.0)).tolist()
    [True, False, True, True]
    """
    keep = np.ones(len(centers_mm), bool)
    for k in np.argsort(-found, kind="stable"):
        if not keep[k]:
            continue
        near = np.linalg.norm(centers_mm - centers_mm[k], axis=1) < _SAME_BODY * expected_mm[k]
        near &= found <= found[k]
        near[k] = False
        keep &= ~near
    return keep


def on_line(centers_mm: np.ndarray) -> np.ndarray:
    """Say which centers lie on one line with their neighbors, bool, shape (k,).

    The head of a rib or a process beside the spine does not.

    Parameters
    ----------
    centers_mm : ndarray, shape (k, 3)
        Head to foot.

    Notes
    -----
    Two centers on either side say by a least-squares parabola where a center is to lie (by a
    straight line near the ends); what counts is the distance across the chain. The one farthest
    off goes if that is more than 9 mm (14 at the ends); then the others are asked again.

    Examples
    --------
    >>> centers = np.array([[0.0, 0, -25.0 * k] for k in range(6)])
    >>> centers[2, 0] = 14.0
    >>> on_line(centers).tolist()
    [True, True, False, True, True, True]
    """
    keep = np.arange(len(centers_mm))
    while len(keep) > _NEIGHBORS + 1:
        off = [_off_line(centers_mm[keep], k) for k in range(len(keep))]
        worst = int(np.argmax(off))
        if off[worst] <= 1.0:
            break
        keep = np.delete(keep, worst)
    return np.isin(np.arange(len(centers_mm)), keep)


def _off_line(centers_mm: np.ndarray, k: int) -> float:
    """Return how far a center lies off its neighbors' line, over what is borne."""
    first, last = max(k - _NEIGHBORS, 0), min(k + _NEIGHBORS + 1, len(centers_mm))
    points = centers_mm[first:last] - centers_mm[k]
    s = np.r_[0.0, np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()]
    s, others = s - s[k - first], np.arange(first, last) != k
    middle = k not in (0, len(centers_mm) - 1)
    degree = 2 if middle and others.sum() > 3 else 1
    there = np.polyfit(s[others], points[others], degree)[-1]
    along = points[-1] - points[0]
    along = along / np.linalg.norm(along)
    off = float(np.linalg.norm(there - (there @ along) * along))
    return off / (_OFF_LINE_MM if middle else _OFF_END_MM)


def through_centers(curve: Curve, centers_mm: np.ndarray) -> Curve:
    """Lay a curve through centers; beyond the first and last one it goes on as another did.

    Parameters
    ----------
    curve : Curve
        The old one; its ends are moved as the outermost centers were.
    centers_mm : ndarray, shape (k, 3)
        Head to foot.
    """
    at = curve.nearest(centers_mm[[0, -1]])
    above = np.arange(0.0, at[0] - _KNOT_MM + 1e-6, _KNOT_MM)
    below = np.arange(curve.length_mm, at[1] + _KNOT_MM - 1e-6, -_KNOT_MM)[::-1]
    moved = centers_mm[[0, -1]] - curve.at(at)
    parts = [curve.at(above) + moved[0], centers_mm, curve.at(below) + moved[1]]
    return fit_curve(np.vstack([part for part in parts if len(part)]), _CAUDAL)
