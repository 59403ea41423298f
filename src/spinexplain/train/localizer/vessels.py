"""Bright tubes beside the spine, as contrast, stents, calcified walls and catheters look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SHARE = 0.35
"""Share of the training pieces that get tubes, where no other is asked for."""

_BONE_HU = 200.0  # what is denser already stays as it is
_CLEAR_MM = 15.0  # between a body's center and the near wall
_MESH_MM = 9.0
_KINDS = ("blood", "stent", "calcified", "catheter")


@dataclass(frozen=True)
class Tube:
    """One tube along the spine.

    Parameters
    ----------
    radius_mm : float
    aside_mm : ndarray, shape (2,)
        From the bodies' centers to the axis: right, anterior.
    low_mm, high_mm : float
        Where it ends, cranial coordinate.
    sway_mm, period_mm : float
        How far it winds about that line, and over what length.
    inside_hu, wall_hu : float
    wall_mm : float
        Thickness of the wall; 0 for none.
    gaps : float
        Share of the wall that is missing, as between the struts of a stent.
    """

    radius_mm: float
    aside_mm: np.ndarray
    low_mm: float
    high_mm: float
    sway_mm: float
    period_mm: float
    inside_hu: float
    wall_hu: float
    wall_mm: float
    gaps: float


def draw_tube(rng: np.random.Generator, centers_mm: np.ndarray) -> Tube:
    """Draw a tube beside a spine, most often in front and to the left, as the aorta runs."""
    kind = _KINDS[int(rng.choice(len(_KINDS), p=(0.35, 0.35, 0.15, 0.15)))]
    thin = kind == "catheter"
    radius = rng.uniform(1.0, 3.0) if thin else rng.uniform(7.0, 20.0)
    away = radius + _CLEAR_MM + rng.uniform(0.0, 45.0 if thin else 15.0)
    angle = np.deg2rad(rng.normal(20.0, 70.0 if thin else 35.0))
    ends = centers_mm[:, 2].min(), centers_mm[:, 2].max()
    middle, half = rng.uniform(*ends), rng.uniform(30.0, 180.0)
    wall = {"blood": 0.0, "stent": rng.uniform(0.6, 2.0), "calcified": rng.uniform(1.0, 3.0)}
    return Tube(
        radius_mm=radius,
        aside_mm=away * np.array([-np.sin(angle), np.cos(angle)]),
        low_mm=middle - half,
        high_mm=middle + half,
        sway_mm=rng.uniform(0.0, 5.0),
        period_mm=rng.uniform(80.0, 300.0),
        inside_hu=rng.uniform(800, 3000) if thin else rng.uniform(30, 520),
        wall_hu=rng.uniform(500, 3000) if kind == "stent" else rng.uniform(300, 1000),
        wall_mm=wall.get(kind, 0.0),
        gaps=rng.uniform(0.2, 0.7),
    )


def with_tubes(
    hu: Tensor,
    points_mm: np.ndarray,
    centers_mm: np.ndarray,
    rng: np.random.Generator,
    share: float = SHARE,
) -> Tensor:
    """Lay one to three tubes beside the spine into some pieces; the others stay as they are.

    Parameters
    ----------
    hu : Tensor, shape (A, B, C)
    points_mm : ndarray, shape (A, B, C, 3)
        Where the voxels lie, RAS+ mm.
    centers_mm : ndarray, shape (n, 3)
        Body centers, head to foot.
    rng : numpy.random.Generator
    share : float
        Of the pieces that get tubes.

    Returns
    -------
    Tensor, shape (A, B, C)
        A new one where there are tubes, ``hu`` itself where there are none.
    """
    if rng.random() >= share:
        return hu
    array = hu.numpy().copy()
    step = float(np.linalg.norm(points_mm[1, 0, 0] - points_mm[0, 0, 0]))
    for _ in range(int(rng.integers(1, 4))):
        _lay(array, points_mm, draw_tube(rng, centers_mm), centers_mm, step)
    return torch.from_numpy(array)


def _lay(
    hu: np.ndarray, points_mm: np.ndarray, tube: Tube, centers_mm: np.ndarray, step_mm: float
) -> None:
    """Blend a tube into HU; a voxel longer than the wall is thick takes a part of its HU."""
    z = points_mm[..., 2]
    order = np.argsort(centers_mm[:, 2])
    axis = [
        np.interp(z, centers_mm[order, 2], centers_mm[order, k])
        + tube.aside_mm[k]
        + tube.sway_mm * np.sin(z * (2 * np.pi / tube.period_mm) + 2.0 * k)
        for k in range(2)
    ]
    x, y = points_mm[..., 0] - axis[0], points_mm[..., 1] - axis[1]
    away = np.hypot(x, y)
    near = (away < tube.radius_mm + tube.wall_mm + step_mm) & (z > tube.low_mm) & (z < tube.high_mm)
    near &= hu < _BONE_HU
    if not near.any():
        return
    away, value = away[near], hu[near]
    share = np.clip((tube.radius_mm - away) / step_mm + 0.5, 0.0, 1.0)
    value = value + share * (tube.inside_hu - value)
    if tube.wall_mm:
        wide = max(tube.wall_mm, step_mm)
        share = np.clip(1.0 - np.abs(away - tube.radius_mm) / wide, 0.0, 1.0)
        share *= min(1.0, tube.wall_mm / step_mm) * _struts(x[near], y[near], z[near], tube)
        value = value + share * (tube.wall_hu - value)
    hu[near] = value


def _struts(x: np.ndarray, y: np.ndarray, z: np.ndarray, tube: Tube) -> np.ndarray:
    """Return where the wall is, 0 or 1: a net wound about the axis."""
    turn = 3.0 * np.arctan2(y, x)
    net = np.maximum(
        np.cos(z * 2 * np.pi / _MESH_MM + turn), np.cos(turn - z * 2 * np.pi / _MESH_MM)
    )
    return np.asarray(net > np.quantile(net, tube.gaps), float)
