"""Where the body of a masked vertebra lies: candidates per bone, the choice along the spine.

The center of mass of a whole vertebra falls in the spinal canal, and its deepest point
wanders along the body. Depth *in the axial plane* separates body from arch at once: bodies
reach 7 to 20 mm there whatever their height, pedicles, laminae and processes under 6 mm.
The centroid of the part deeper than half the greatest axial depth is the center, also in
a collapsed body, which has no part deeper than 5 mm in space left. Where this leads off
the curve of the neighbors, the parts deeper than 5 mm in space (or less, in small
bones) are the next candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from spinexplain.geometry import apply_affine, fit_curve

DEPTH_MM = 5.0
OFF_CURVE_MM = 12.0
_FINEST_MM = 1.0  # finer masks are subsampled: the center does not need them
_AXIAL_SHARE = 0.5
_AXIAL_QUANTILE = 0.9  # of the slices' greatest depths: one odd slice decides nothing
_DEPTH_STEPS = (0.85, 0.7, 0.55)  # shares of the greatest depth tried after 5 mm
_SMALLEST_SHARE = 0.05  # a part under 5 % of the largest is no candidate
_SMALLEST_CORE_MM3 = 200.0  # less than this deeper than 5 mm may lie in the arch
_SHEAR_COSINE = 0.03
_FEWEST_OTHERS = 3  # centers that make a curve to judge another one by


def axial_centers(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Find where a vertebra is deep in the axial plane: its body, in all but odd masks.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        One vertebra, cropped to its bounding box, not empty.
    affine : ndarray, shape (4, 4)
        Index in ``mask`` to RAS+ mm.

    Returns
    -------
    ndarray, shape (n, 3)
        Centroids in RAS+ mm of the parts deeper than half the usual greatest axial depth,
        the largest first; n >= 1.
    """
    mask, affine = _workable(mask, affine)
    return apply_affine(affine, _part_centers(_axial_core(mask, affine)))


def deep_centers(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Find the parts of a vertebra that are deep in space, for odd masks.

    Parameters
    ----------
    mask, affine
        As in :func:`axial_centers`.

    Returns
    -------
    ndarray, shape (n, 3)
        Centroids in RAS+ mm of the parts deeper than 5 mm, the largest first, then of
        those deeper than shares of the greatest depth; n may be 0.
    """
    mask, affine = _workable(mask, affine)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    centers = [_part_centers(core) for core in _deep_cores(mask, spacing)]
    return apply_affine(affine, np.concatenate([np.empty((0, 3)), *centers]))


def _workable(mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring a mask on an orthogonal grid of about 1 mm, with a background margin."""
    padded, shifted = np.pad(mask, 1), _shifted(affine, -1)
    thin, coarser = _subsampled(*_orthogonal(padded, shifted))
    return (thin, coarser) if thin.any() else (padded, shifted)


def _axial_core(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return where the depth in the axial plane exceeds half of its usual maximum."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axial = int(np.argmax(np.abs(affine[2, :3]) / spacing))
    depth = _axial_depth_mm(mask, spacing, axial)
    deepest = np.moveaxis(depth, axial, 0).reshape(depth.shape[axial], -1).max(axis=1)
    return depth > _AXIAL_SHARE * np.quantile(deepest[deepest > 0], _AXIAL_QUANTILE)


def _axial_depth_mm(mask: np.ndarray, spacing: np.ndarray, axial: int) -> np.ndarray:
    """Return how far each voxel lies from the background of its own axial plane.

    Each plane is worked on in its own bounding box and a margin of one voxel: no nearer
    background lies beyond.
    """
    depth = np.zeros(mask.shape)
    in_plane = np.delete(spacing, axial)
    for plane, depths in zip(
        np.moveaxis(mask, axial, 0), np.moveaxis(depth, axial, 0), strict=True
    ):
        rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
        if len(rows):
            box = tuple(slice(max(i[0] - 1, 0), i[-1] + 2) for i in (rows, columns))
            depths[box] = ndimage.distance_transform_edt(plane[box], sampling=in_plane)
    return depth


def _deep_cores(mask: np.ndarray, spacing: np.ndarray) -> list[np.ndarray]:
    """Return the parts deeper than 5 mm, then than shares of the greatest depth."""
    depth = ndimage.distance_transform_edt(mask, sampling=spacing)
    levels = [DEPTH_MM, *(share * depth.max() for share in _DEPTH_STEPS)]
    cores = [depth > level for level in levels]
    return [c for c in cores if np.count_nonzero(c) * spacing.prod() >= _SMALLEST_CORE_MM3]


def _part_centers(core: np.ndarray) -> np.ndarray:
    """Return the centroids (n, 3) of the connected parts, largest first, without crumbs."""
    parts, count = ndimage.label(core)
    inside = np.nonzero(parts)
    part = parts[inside] - 1
    sizes = np.bincount(part, minlength=count)
    sums = [np.bincount(part, weights=index, minlength=count) for index in inside]
    order = np.argsort(-sizes, kind="stable")
    kept = [i for i in order if sizes[i] >= _SMALLEST_SHARE * sizes.max()]
    return (np.stack(sums, axis=-1) / sizes[:, None])[kept]


def _shifted(affine: np.ndarray, start: int | Sequence[int]) -> np.ndarray:
    """Return the affine of a crop that begins at index ``start``."""
    moved = affine.copy()
    moved[:3, 3] = apply_affine(affine, np.broadcast_to(start, 3).astype(float))
    return moved


def crop_affine(affine: np.ndarray, box: tuple[slice, ...]) -> np.ndarray:
    """Return the affine of the crop ``array[box]``.

    Examples
    --------
    >>> crop_affine(np.eye(4), (slice(2, 5), slice(0, 4), slice(7, 9)))[:3, 3]
    array([2., 0., 7.])
    """
    return _shifted(affine, [axis.start for axis in box])


def _subsampled(mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep every k-th voxel where the mask is much finer than 1 mm."""
    step = np.maximum(_FINEST_MM / np.linalg.norm(affine[:3, :3], axis=0), 1.0).astype(int)
    thin = np.pad(mask[:: step[0], :: step[1], :: step[2]], 1)
    scaled = affine @ np.diag([*step, 1.0])
    return thin, _shifted(scaled, -1)


def _orthogonal(mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Resample a sheared mask (gantry tilt) on an orthogonal grid of the same spacing.

    The distance transform knows spacings but no shear.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = affine[:3, :3] / spacing
    if np.abs(directions.T @ directions - np.eye(3)).max() < _SHEAR_COSINE:
        return mask, affine
    q, r = np.linalg.qr(directions)
    square = np.eye(4)
    square[:3, :3] = q * np.sign(np.diag(r)) * spacing
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in mask.shape])).reshape(3, -1).T
    reach = apply_affine(np.linalg.inv(square), apply_affine(affine, corners.astype(float)))
    low, high = np.floor(reach.min(axis=0)), np.ceil(reach.max(axis=0))
    square = _shifted(square, low.tolist())
    back = np.linalg.inv(affine) @ square
    shape = tuple((high - low + 1).astype(int))
    resampled = ndimage.affine_transform(
        mask.astype(np.uint8), back[:3, :3], back[:3, 3], output_shape=shape, order=0
    )
    return resampled.astype(bool), square


def choose_centers(
    likeliest: Sequence[np.ndarray], others: Callable[[int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Choose one candidate per vertebra so that the centers follow one curve.

    Starts with the likeliest of each. While some center lies further than 12 mm from the
    curve through the *other* centers, the worst one is exchanged for its own candidate
    nearest to that curve, if there is a better one.

    Parameters
    ----------
    likeliest : sequence of ndarray, shape (n_i, 3)
        Candidates per vertebra in cranio-caudal order, the likeliest first, RAS+ mm.
    others : callable
        Returns further candidates (m, 3) of the vertebra with the given index; asked only
        where the likeliest is off the curve.

    Returns
    -------
    centers_mm : ndarray, shape (V, 3)
    off_curve_mm : ndarray, shape (V,)
        Distance of each chosen center from the curve of the others; 0 where there are
        fewer than three others to judge by.
    """
    centers = np.array([points[0] for points in likeliest])
    settled: set[int] = set()  # exchanged already, or known to be off the curve
    outliers: set[int] = set()  # off the curve with every candidate: judge nobody by them
    while True:
        off = np.array([_off_mm(i, c[None], centers, outliers)[0] for i, c in enumerate(centers)])
        suspects = [i for i in np.argsort(-off) if off[i] > OFF_CURVE_MM and i not in settled]
        if not suspects:
            return centers, off
        worst = int(suspects[0])
        settled.add(worst)
        candidates = np.concatenate([likeliest[worst], others(worst)])
        apart = _off_mm(worst, candidates, centers, outliers)
        centers[worst] = candidates[np.argmin(apart)]
        if apart.min() > OFF_CURVE_MM:
            outliers.add(worst)


def _off_mm(index: int, points: np.ndarray, centers: np.ndarray, outliers: set[int]) -> np.ndarray:
    """Return how far points (..., 3) lie from the curve through the other centers."""
    others = [i for i in range(len(centers)) if i != index and i not in outliers]
    if len(others) < _FEWEST_OTHERS:
        return np.zeros(points.shape[:-1])
    knots = centers[others]
    apart = np.linalg.norm(np.diff(knots, axis=0), axis=1) > 1.0
    curve = fit_curve(knots[np.concatenate([[True], apart])], np.array([0.0, 0.0, -1.0]))
    return np.linalg.norm(points - curve.at(curve.nearest(points)), axis=-1)
