"""Paints vertebral bodies, arches and discs onto a canvas."""

from __future__ import annotations

import numpy as np

from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.grids import Index
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

_ROUND_REACH = 6.0


def local_points(
    canvas: Canvas, index: Index, place: Placement
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return u, v, w (mm, in the body's frame) of a cropped block."""
    x, y, z = canvas.grid.at(index)
    c, r = place.center.astype(np.float32), place.axes.astype(np.float32)
    x, y, z = x - c[0], y - c[1], z - c[2]
    u = r[0, 0] * x + r[0, 1] * y + r[0, 2] * z
    v = r[1, 0] * x + r[1, 1] * y + r[1, 2] * z
    w = r[2, 0] * x + r[2, 1] * y + r[2, 2] * z
    return u, v, w


def wall_distance(
    body: Body, u: np.ndarray, v: np.ndarray, rel: np.ndarray, rise: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the signed distance (mm) to the body's side wall, inside < 0.

    ``rel`` is the height between the endplates, -1 to 1; ``rise`` the distance in mm below
    the upper and above the lower endplate.
    """
    half = np.clip(1 - rel**2, 0, 1)
    front = v > 0
    grow = half * np.where(front, body.bulge_front - body.waist, body.bulge_back - body.waist / 2)
    up, down = (
        np.exp(-((rise[0] / body.lip_reach) ** 2)),
        np.exp(-((rise[1] / body.lip_reach) ** 2)),
    )
    lip = body.lip
    weight = np.clip(np.abs(v) / (0.35 * body.depth) - 0.4, 0, 1)
    grow += weight * np.where(front, lip[0] * up + lip[1] * down, lip[2] * up + lip[3] * down)
    if any(body.buckle_mm):
        near, far = (np.exp(-(((end + 4.0) / 2.2) ** 2)) for end in rise)
        bent = body.buckle_mm
        buckled = np.where(front, bent[0] * near, bent[2] * near)
        buckled += np.where(front, bent[1] * far, bent[3] * far)
        grow += weight * buckled
    if body.hollow_mm:  # kidney-shaped from above: the depth in the middle stays
        corner = np.clip(np.abs(u) * (2.6 / body.width), 0, 1)
        reach = body.hollow_mm + 0.09 * body.depth  # first the rounded corner of the box itself
        behind = np.clip(v * (-2.1 / body.depth), 0, 1)
        grow += reach * (corner * behind) ** 2
    a, b = np.abs(u) * (2 / body.width), np.abs(v) * (2 / body.depth)
    rho = np.cbrt(a * a * a + b * b * b) + 1e-3
    if body.round_front:
        rho += body.round_front * front * (np.sqrt(a * a + b * b) - rho)
    radius = np.sqrt(u * u + v * v)
    return radius * (1 - 1 / rho) - grow


def _rounded(ends: np.ndarray, side: np.ndarray, radius: float) -> np.ndarray:
    """Join end and side distances with a rounded edge."""
    p, q = ends + radius, side + radius
    outside = np.sqrt(np.maximum(p, 0) ** 2 + np.maximum(q, 0) ** 2)
    return np.minimum(np.maximum(p, q), 0) + outside - radius


def paint_body(canvas: Canvas, body: Body, place: Placement, fractured: bool) -> None:
    """Paint one body: label, HU and, when it is fractured, its evidence."""
    tall = max(body.upper.posterior, body.upper.anterior) + 3
    reach_v = body.depth / 2 + _ROUND_REACH
    lean = abs(float(place.axes[2, 1]))
    reach = (
        body.width / 2 + _ROUND_REACH,
        reach_v + tall * lean,
        tall + reach_v * lean + 0.1 * body.width,
    )
    index = canvas.grid.crop(place.center, reach)
    if index is None:
        return
    u, v, w = local_points(canvas, index, place)
    t, side = v / body.depth + 0.5, u * (2 / body.width)
    t = np.clip(t, -0.05, 1.05)
    side = np.clip(side, -1.05, 1.05)
    top, low = body.upper.healthy(t, side), -body.lower.healthy(t, side)
    if fractured:
        up, down = body.upper.displacement(t, side), body.lower.displacement(t, side)
    else:
        up = down = np.zeros_like(top)
    above, below = w - (top - up), (low + down) - w
    rel = (below - above) / np.maximum(-(above + below), 1.0)
    wall = wall_distance(body, u, v, np.clip(rel, -1.5, 1.5), (above, below))
    _fill(canvas, index, body, (u, v, w), (above, below, wall), (up, down))
    if fractured and (body.upper.collapse is not None):
        _mark(canvas, index, body, (above, below, wall), (up, down))


def _fill(
    canvas: Canvas,
    index: Index,
    body: Body,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    faces: tuple[np.ndarray, np.ndarray, np.ndarray],
    moved: tuple[np.ndarray, np.ndarray],
) -> None:
    _, v, _ = points
    above, below, wall = faces
    hu, pixel = canvas.hu[index], canvas.grid.pixel_mm
    outer = cover(_rounded(np.maximum(above, below), wall, body.rounding), pixel)
    patchy = np.clip(1 + body.gaps * canvas.coarse[index] * 1.3, 0.1, 2.0)
    upper, lower, front, back = body.cortex_mm
    ends = np.maximum(above + upper * patchy, below + lower * patchy)
    inner_wall = wall + np.where(v > 0, front, back) * patchy
    inner = cover(_rounded(ends, inner_wall, body.rounding), pixel)
    inner = np.minimum(inner, outer)
    marrow = _marrow(canvas, index, body, points, faces, moved)
    hu *= 1 - outer
    hu += body.cortex_hu * (outer - inner) + marrow * inner
    inside = outer > 0.5
    canvas.label[index][inside] = body.code
    canvas.body[index][inside] = body.code


def _marrow(
    canvas: Canvas,
    index: Index,
    body: Body,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    faces: tuple[np.ndarray, np.ndarray, np.ndarray],
    moved: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    u, v, w = points
    above, below, _ = faces
    fine, coarse = canvas.fine[index], canvas.coarse[index]
    marrow = body.trabecular_hu + body.texture_hu * (0.75 * fine + 0.35 * coarse)
    if body.texture_kind == 1:  # vertical struts
        marrow = marrow + 0.7 * body.texture_hu * np.sin(2.1 * v + 1.5 * coarse)
    elif body.texture_kind == 3:  # haemangioma: coarse bright struts in fat
        marrow = marrow - 60 + 170 * np.clip(np.sin(1.6 * v + 0.8 * coarse + u), 0.2, 1)
    if body.basivertebral:
        vein = np.exp(-((w / 1.7) ** 2) - (u / 6) ** 2) / (
            1 + np.exp((v + 0.08 * body.depth) / 2.0)
        )
        marrow = marrow - body.basivertebral * vein * (marrow - 10)
    for face, amount, plate in ((above, moved[0], 0), (below, moved[1], 1)):
        if body.sclerosis_hu[plate]:
            marrow = marrow + body.sclerosis_hu[plate] * np.exp(-((face / 4.0) ** 2))
        if body.impaction_hu:
            band = np.exp(-(((face + body.impaction_mm) / (0.8 * body.impaction_mm)) ** 2))
            marrow = marrow + body.impaction_hu * band * np.clip(body.band_floor + amount / 3, 0, 1)
    if body.cleft_hu:
        gap = np.exp(
            -(((above + 3.0) / 1.2) ** 2) - ((v - 0.1 * body.depth) / (0.3 * body.depth)) ** 2
        )
        marrow = marrow + gap * (body.cleft_hu - marrow)
    if body.lesion:
        at_v, at_w, radius, value = body.lesion
        away = np.sqrt((v - at_v) ** 2 + (w - at_w) ** 2 + u * u) - radius + 1.2 * coarse
        marrow = marrow + cover(away, 2.0) * (value - marrow)
    return marrow


def _mark(
    canvas: Canvas,
    index: Index,
    body: Body,
    faces: tuple[np.ndarray, np.ndarray, np.ndarray],
    moved: tuple[np.ndarray, np.ndarray],
) -> None:
    """Mark the displaced endplates (2 mm deep) and the height they lost."""
    above, below, wall = faces
    near = wall < 0.5
    least = max(0.8, body.evidence_share * _most_moved(body))
    lost = np.zeros(near.shape, bool)
    for face, amount in zip((above, below), moved, strict=True):
        lost |= (face > -2.0) & (face < amount) & (amount > least)
    canvas.evidence[index][near & lost] = body.code


def _most_moved(body: Body) -> float:
    """Return the largest displacement of an endplate, mm, without roughness and steps."""
    moved = [plate.collapse for plate in (body.upper, body.lower) if plate.collapse is not None]
    return max((max(c.posterior, c.middle, c.anterior) for c in moved), default=0.0)


def clear_evidence_of_neighbors(canvas: Canvas) -> None:
    """Drop evidence where another vertebra has come to lie."""
    other = (canvas.label > 0) & (canvas.label != canvas.evidence)
    canvas.evidence[other] = 0


def paint_disc(
    canvas: Canvas,
    upper: tuple[Body, Placement],
    lower: tuple[Body, Placement],
    hu: float,
    vacuum_hu: float,
) -> None:
    """Paint the disc between two bodies; the bodies are painted over it afterwards."""
    (top, top_at), (low, low_at) = upper, lower
    depth, width = (top.depth + low.depth) / 2, (top.width + low.width) / 2
    center = (top_at.center + low_at.center) / 2
    tall = float(np.linalg.norm(top_at.center - low_at.center)) / 2
    lean = abs(float(low_at.axes[2, 1])) + 0.15
    reach = (width / 2 + 2, depth / 2 + 2 + tall * lean, tall + depth / 2 * lean)
    index = canvas.grid.crop(center, reach)
    if index is None:
        return
    axes = top_at.axes + low_at.axes
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    u, v, w = local_points(canvas, index, Placement(center, axes))
    a, b = np.abs(u) * (2 / width), np.abs(v) * (2 / depth)
    rho = np.cbrt(a**3 + b**3) + 1e-3
    rim = np.sqrt(u * u + v * v) * (1 - 1 / rho) + 0.06 * w * w
    share = cover(np.maximum(rim - 0.6, np.abs(w) - tall), 1.5)
    blend(canvas.hu[index], share, hu + 8 * canvas.fine[index] + 8 * canvas.coarse[index])
    if vacuum_hu:
        gas = cover(np.abs(w) - 1.0 - 0.8 * canvas.coarse[index], 1.0)
        blend(
            canvas.hu[index], gas * cover(rim + 5, 3.0) * (canvas.coarse[index] > -0.6), vacuum_hu
        )
