"""Bones, organs and implants as unions of balls: one way of drawing all that is not spine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.grids import AffineGrid, Index

_FAR_MM = 99.0
_COARSE_MM = 1.0  # rougher surfaces bend in long waves
_MARGIN_MM = 2.5  # beyond the surface: room for roughness


@dataclass(frozen=True, eq=False)
class Solid:
    """A union of balls of one material.

    Parameters
    ----------
    centers : ndarray, shape (N, 3)
        RAS+ mm.
    radii : ndarray, shape (N,)
        mm, in front of ``stretch``.
    hu : float
        Inside.
    rim_hu, rim_mm : float
        A wall of that density and thickness: cortex, gut, a stent.
    texture_hu, rough_mm : float
        Standard deviation of the density inside; roughness of the surface.
    stretch : tuple of 3 floats
        The balls are ellipsoids with these half axes (x, y, z) times their radius.
    level_mm : float or None
        Above this height from the back (y) the content is gas, if there is a level.
    """

    centers: np.ndarray
    radii: np.ndarray
    hu: float
    rim_hu: float = 0.0
    rim_mm: float = 0.0
    texture_hu: float = 6.0
    rough_mm: float = 0.6
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    level_mm: float | None = None


def chain(points: ArrayLike, radii: ArrayLike, share: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Return balls along a polyline, their distance ``share`` of the radius there.

    Examples
    --------
    >>> centers, radii = chain([(0, 0, 0), (0, 0, 10)], 5.0)
    >>> centers.shape, float(radii.max())
    ((4, 3), 5.0)
    """
    knots = np.asarray(points, float)
    thick = np.broadcast_to(np.asarray(radii, float), len(knots))
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))]
    step = max(share * float(thick.min()), 0.5)
    at = np.linspace(0.0, along[-1], int(np.ceil(along[-1] / step)) + 1)
    centers = np.stack([np.interp(at, along, knots[:, k]) for k in range(3)], axis=1)
    return centers, np.interp(at, along, thick)


def joined(
    *parts: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the balls of several parts as one."""
    return np.concatenate([c for c, _ in parts]), np.concatenate([r for _, r in parts])


def ellipsoid(center: ArrayLike, half: ArrayLike, hu: float, **look: Any) -> Solid:
    """Return one ellipsoid with half axes x, y, z in mm."""
    x, y, z = (float(h) for h in np.asarray(half, float))
    return Solid(
        np.asarray(center, float)[None],
        np.ones(1),
        hu,
        stretch=(x, y, z),
        **look,
    )


def distance_to(grid: AffineGrid, solid: Solid) -> tuple[Index, np.ndarray] | None:
    """Return the box of voxels around a solid and their signed distance (mm, inside < 0).

    Voxels far from every ball hold a large distance. None where the grid shows nothing of it.
    """
    stretch = np.array(solid.stretch)
    scale = float(stretch.min())
    margin = _MARGIN_MM + grid.pixel_mm
    reach = solid.radii[:, None] * stretch + margin
    low, high = grid.boxes(solid.centers, reach)
    seen = np.flatnonzero((high > low).all(axis=1))
    if seen.size == 0:
        return None
    first, last = low[seen].min(axis=0), high[seen].max(axis=0)
    distance = np.full(tuple(last - first), _FAR_MM, np.float32)
    for k in seen:
        part = tuple(slice(int(a), int(b)) for a, b in zip(low[k], high[k], strict=True))
        own = tuple(
            slice(int(a), int(b)) for a, b in zip(low[k] - first, high[k] - first, strict=True)
        )
        x, y, z = (
            (values - np.float32(c)) * np.float32(1 / s)
            for values, c, s in zip(grid.at(part), solid.centers[k], stretch, strict=True)
        )
        away = np.sqrt(x * x + y * y + z * z)
        away -= np.float32(solid.radii[k])
        away *= np.float32(scale)
        np.minimum(distance[own], away, out=distance[own])
    index = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return index, distance


def paint_solid(canvas: Canvas, solid: Solid) -> None:
    """Paint one solid over what is there."""
    assert isinstance(canvas.grid, AffineGrid)
    found = distance_to(canvas.grid, solid)
    if found is None:
        return
    index, distance = found
    pixel = canvas.grid.pixel_mm
    near = distance < pixel + _MARGIN_MM
    if not near.any():
        return
    grain = canvas.mid[index][near]
    bumps = canvas.coarse[index][near] if solid.rough_mm >= _COARSE_MM else grain
    away = distance[near] + np.float32(solid.rough_mm) * bumps
    outer = cover(away, pixel)
    hu = canvas.hu[index]
    inside = np.float32(solid.hu) + np.float32(solid.texture_hu) * grain
    if solid.level_mm is not None:
        y = np.broadcast_to(canvas.grid.at(index)[1], distance.shape)[near]
        inside = np.where(y > solid.level_mm, np.float32(-960.0), inside)
    values = hu[near]
    if solid.rim_mm:
        inner = np.minimum(cover(away + solid.rim_mm, pixel), outer)
        values = values * (1 - outer) + solid.rim_hu * (outer - inner) + inside * inner
    else:
        blend(values, outer, inside)
    hu[near] = values
