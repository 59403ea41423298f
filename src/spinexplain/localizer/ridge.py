"""The spine's curve from a map of where the spine is: the best ridge from head to foot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from spinexplain.geometry import Curve, apply_affine, fit_curve

REACH = 2  # voxels that the ridge may move aside from one plane to the next
_NEUTRAL = 0.3  # a map value that neither draws nor repels
_BEND = 0.02  # cost of moving aside, by voxels squared
_KNOT_PLANES = 3
_SMOOTH_PLANES = 1.5
_LEAP_PLANES = 3  # from one plane that the map holds to the next; a leap crosses two or more
_LEAST_PLANES = 6
_CAUDAL = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, eq=False)
class Ridge:
    """The line along which a map is highest.

    Parameters
    ----------
    curve : Curve
        Cranial to caudal, RAS+ mm.
    support : ndarray, shape (n,)
        Value of the map in every plane that it passes, cranial to caudal.
    """

    curve: Curve
    support: np.ndarray


def find_ridge(spine: np.ndarray, affine: np.ndarray) -> Ridge | None:
    """Follow the spine through a map of it.

    Parameters
    ----------
    spine : ndarray, shape (X, Y, Z)
        Probability that a voxel belongs to the spine, axes right, anterior, cranial.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm, of a grid along the patient's axes.

    Returns
    -------
    Ridge or None
        None where no part of the map is long enough to be a spine.

    Notes
    -----
    Dynamic programming from the foot up: the ridge moves by at most two voxels in either
    direction from plane to plane, may begin and end anywhere, and takes the path with the
    highest sum of values above 0.3 less a cost for moving aside. Where it leaps aside over
    planes that the map does not hold, the better part stays. It is then moved to the
    center of what the map shows in its plane, and smoothed.
    """
    box = _box(spine)
    if box is None:
        return None
    part = ndi.gaussian_filter(spine[box].astype(np.float32), 0.8)
    path = _best_path(part - _NEUTRAL)
    path = path[unbroken(path, spine[box][tuple(path.T)])]
    if len(path) < _LEAST_PLANES:
        return None
    support = spine[box][tuple(path.T)]
    line = _centered(spine[box], path)
    start = np.array([side.start for side in box])
    points = apply_affine(affine, line + start)
    picked = np.unique(np.r_[np.arange(0, len(points) - 1, _KNOT_PLANES), len(points) - 1])
    if len(picked) > 2 and picked[-1] - picked[-2] < _KNOT_PLANES:
        picked = np.delete(picked, -2)
    return Ridge(fit_curve(points[picked], _CAUDAL), support)


def unbroken(path: np.ndarray, support: np.ndarray) -> slice:
    """Return the best stretch of a path that nowhere leaps aside over what the map does not hold.

    A spine goes on straight where nothing of it is seen, as beside metal; a path that crosses
    such planes at more than 45 degrees has left it for something else, such as a hip bone. A
    single such plane says nothing: where a scoliosis is strong the spine itself runs as steeply.

    Parameters
    ----------
    path : ndarray of int, shape (n, 3)
        Voxel indices, cranial to caudal, one a plane.
    support : ndarray, shape (n,)
        Value of the map along it.

    Examples
    --------
    >>> path = np.array([[9, 9, 5], [9, 9, 4], [7, 9, 3], [5, 9, 2], [3, 9, 1]])
    >>> unbroken(path, np.array([0.9, 0.9, 0.0, 0.0, 0.8]))
    slice(0, 2, None)
    """
    held = np.flatnonzero(support > _NEUTRAL)
    steps = np.abs(np.diff(path[held], axis=0))
    unseen = steps[:, 2] >= _LEAP_PLANES
    leaps = unseen & (np.hypot(steps[:, 0], steps[:, 1]) > steps[:, 2])
    if not leaps.any():
        return slice(0, len(path))
    ends = np.flatnonzero(leaps)
    starts = np.r_[0, held[ends + 1]]
    stops = np.r_[held[ends] + 1, len(path)]
    parts = [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]
    return max(parts, key=lambda part: float((support[part] - _NEUTRAL).sum()))


def _box(spine: np.ndarray) -> tuple[slice, slice, slice] | None:
    where = ndi.find_objects((spine > _NEUTRAL / 2).astype(np.uint8))
    if not where:
        return None
    x, y, z = (
        slice(max(side.start - 1, 0), min(side.stop + 1, n))
        for side, n in zip(where[0], spine.shape, strict=True)
    )
    return x, y, z


def _best_path(gain: np.ndarray) -> np.ndarray:
    """Return the path of the highest sum, (n, 3) voxel indices, cranial to caudal."""
    moves = [(i, j) for i in range(-REACH, REACH + 1) for j in range(-REACH, REACH + 1)]
    cost = np.array([_BEND * (i * i + j * j) for i, j in moves], np.float32)
    planes = gain.shape[2]
    total = np.empty_like(gain)
    chosen = np.full(gain.shape, -1, np.int8)  # which move leads to the plane below; -1 none
    total[:, :, 0] = gain[:, :, 0]
    for z in range(1, planes):
        below = _shifted(total[:, :, z - 1], moves) - cost[:, None, None]
        best = below.argmax(axis=0)
        value = np.take_along_axis(below, best[None], axis=0)[0]
        total[:, :, z] = gain[:, :, z] + np.maximum(value, 0.0)
        chosen[:, :, z] = np.where(value > 0, best, -1)
    at = np.unravel_index(int(total.argmax()), total.shape)
    return _walk((int(at[0]), int(at[1]), int(at[2])), chosen, moves)


def _walk(at: tuple[int, int, int], chosen: np.ndarray, moves: list[tuple[int, int]]) -> np.ndarray:
    path = [at]
    while chosen[at] >= 0:
        i, j = moves[chosen[at]]
        at = (at[0] + i, at[1] + j, at[2] - 1)
        path.append(at)
    return np.array(path)


def _shifted(plane: np.ndarray, moves: list[tuple[int, int]]) -> np.ndarray:
    """Return for every move the value at its end; outside none is worth going to."""
    wide = np.pad(plane, REACH, constant_values=-1e6)
    rows, columns = plane.shape
    return np.stack(
        [wide[REACH + i : REACH + i + rows, REACH + j : REACH + j + columns] for i, j in moves]
    )


def _centered(spine: np.ndarray, path: np.ndarray, half: int = 4) -> np.ndarray:
    """Move each point to the center of the map around it in its plane, then smooth."""
    line = path.astype(float)
    for row, (x, y, z) in enumerate(path):
        xs = slice(max(x - half, 0), x + half + 1)
        ys = slice(max(y - half, 0), y + half + 1)
        weight = np.clip(spine[xs, ys, z] - _NEUTRAL / 2, 0.0, None)
        if weight.sum() > _NEUTRAL:
            across = np.arange(weight.shape[0]) + xs.start
            deep = np.arange(weight.shape[1]) + ys.start
            line[row, 0] = (weight.sum(axis=1) * across).sum() / weight.sum()
            line[row, 1] = (weight.sum(axis=0) * deep).sum() / weight.sum()
    line[:, :2] = ndi.gaussian_filter1d(line[:, :2], _SMOOTH_PLANES, axis=0, mode="nearest")
    return line
