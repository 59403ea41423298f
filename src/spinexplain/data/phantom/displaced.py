"""What a fracture moved: each endplate by sixths of the depth, the sides, the walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

SIXTHS = 6
BEYOND_MM = 4.0  # part codes go on this far beyond the place an endplate came from
BEYOND_T = 0.15


@dataclass(frozen=True)
class Displaced:
    """How far a fracture moved what bounds a body, mm; all 0 without one.

    Parameters
    ----------
    superior, inferior : tuple of 6 floats
        Mean displacement of each endplate towards the middle of the body in the
        mid-sagittal plane, by sixths of the depth, posterior to anterior.
    left, right : float
        Mean displacement of both endplates in the patient's left and right half.
    front_wall, back_wall : float
        How far the walls bulge or buckle, at most.
    """

    superior: tuple[float, ...]
    inferior: tuple[float, ...]
    left: float
    right: float
    front_wall: float
    back_wall: float


def displaced(body: Body) -> Displaced:
    """Measure what the fracture of a body moved.

    Examples
    --------
    >>> from spinexplain.data.phantom.shape import plain_body
    >>> displaced(plain_body(30, 40, (25, 25, 25))).superior
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    """
    t, side = np.linspace(0.01, 0.99, 60)[:, None], np.linspace(-0.9, 0.9, 18)[None]
    moved = [plate.displacement(t, side) for plate in (body.upper, body.lower)]
    middle = [plate.displacement(t[:, 0], np.zeros(60)) for plate in (body.upper, body.lower)]
    superior, inferior = (
        tuple(round(float(x), 3) for x in plate.reshape(SIXTHS, -1).mean(axis=1))
        for plate in middle
    )
    both = moved[0] + moved[1]
    return Displaced(
        superior=superior,
        inferior=inferior,
        left=round(float(both[:, :9].mean()), 3),
        right=round(float(both[:, 9:].mean()), 3),
        front_wall=round(max(body.bulge_front, *body.buckle_mm[:2]), 3),
        back_wall=round(max(body.bulge_back, *body.buckle_mm[2:]), 3),
    )


def part_codes(canvas: Canvas, body: Body, place: Placement) -> np.ndarray:
    """Return which endplate and which part of the depth every point belongs to.

    Parameters
    ----------
    canvas : Canvas
    body : Body
    place : Placement

    Returns
    -------
    ndarray of uint8, shape of the canvas
        1 to 6: nearer the superior endplate, by sixths of the depth from posterior to
        anterior; 7 to 12: the same for the inferior one; 0: neither in the body nor where a
        fracture took its height.
    """
    u, v, w = local_points(canvas, (slice(None),) * canvas.hu.ndim, place)
    t, side = v / body.depth + 0.5, u * (2 / body.width)
    at, across = np.clip(t, -0.05, 1.05), np.clip(side, -1.05, 1.05)
    up, down = body.upper.displacement(at, across), body.lower.displacement(at, across)
    above = w - (body.upper.healthy(at, across) - up)
    below = (down - body.lower.healthy(at, across)) - w
    sixth = np.clip(np.floor(t * SIXTHS), 0, SIXTHS - 1)
    codes = 1 + sixth + np.where(above >= below, 0, SIXTHS)
    near = (above < up + BEYOND_MM) & (below < down + BEYOND_MM) & (np.abs(side) < 1.15)
    near &= np.logical_and(t > -BEYOND_T, t < 1 + BEYOND_T)
    return np.where(near, codes, 0).astype(np.uint8)
