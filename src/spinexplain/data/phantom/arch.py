"""Paints what lies behind the bodies: pedicles, laminae, facets and processes."""

from __future__ import annotations

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas, cover
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

Strut = tuple[np.ndarray, np.ndarray, tuple[float, float]]
"""Start, end (u, v, w in mm) and half sizes (left-right, up-down) of a rounded bar."""


def arch_struts(body: Body, vary: np.ndarray) -> list[Strut]:
    """Return the bars an arch is made of; ``vary`` holds 5 factors near 1."""
    k = LEVEL_NAMES.index(body.name)
    size = body.depth / float(NORMS["depth"][k])
    n = {key: float(values[k]) * size for key, values in NORMS.items()}
    back = -body.depth / 2
    canal, half_w = n["canal_d"] * vary[0], n["canal_w"] / 2
    high = body.upper.posterior
    angle = np.deg2rad(float(NORMS["spin_deg"][k]) * vary[1])
    root = np.array([0.0, back - canal - 3.0, -0.25 * high])
    tip = root + n["spin_len"] * vary[2] * np.array([0, -np.cos(angle), -np.sin(angle)])
    struts: list[Strut] = [(root, tip, (2.3 * size, n["spin_h"] / 2 * vary[3]))]
    if body.name[0] == "S":
        return struts
    for side in (-1.0, 1.0):
        stem = np.array([side * (half_w + n["ped_w"] / 2), back + 2.0, 0.42 * high])
        knee = stem + np.array([0.0, -0.75 * canal, -0.15 * high])
        struts.append((stem, knee, (n["ped_w"] / 2, n["ped_h"] / 2)))
        struts.append((knee, root, (3.0, 0.55 * high)))
        reach = 18.0 if body.name[0] == "T" else 22.0
        rear = np.array([side * reach * size, -9.0 if body.name[0] == "T" else 0.0, 1.0])
        struts.append((knee, knee + rear, (3.5, 5.0 * vary[4])))
        above = knee + np.array([side * 1.0, -1.0, 0.95 * high])
        below = knee + np.array([-side * 2.0, -4.0, -1.35 * high])
        struts.append((knee, above, (5.0, 4.0)))
        struts.append((knee, below, (5.0, 4.0)))
    return struts


def paint_arch(canvas: Canvas, body: Body, place: Placement, vary: np.ndarray) -> None:
    """Paint the arch of one vertebra with its cortex; bodies are painted over it."""
    for start, end, (half_u, half_w) in arch_struts(body, vary):
        middle = (start + end) / 2
        span = np.abs(end - start) / 2
        fat = max(half_u, half_w) + 2
        center = place.center + middle @ place.axes
        reach_local = span + np.array([half_u + 2, fat, fat])
        reach = np.abs(place.axes.T) @ reach_local
        index = canvas.grid.crop(center, (float(reach[0]), float(reach[1]), float(reach[2])))
        if index is None:
            continue
        points = local_points(canvas, index, place)
        if float(np.abs(points[0] - middle[0]).min()) > reach_local[0]:
            continue
        _paint_bar(canvas, index, body, points, (start, end, (half_u, half_w)))


def _paint_bar(
    canvas: Canvas,
    index: tuple[slice, ...],
    body: Body,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    strut: Strut,
) -> None:
    start, end, (half_u, half_w) = strut
    along = (end - start).astype(np.float32)
    length2 = float(along @ along) + 1e-6
    u, v, w = (p - np.float32(s) for p, s in zip(points, start, strict=True))
    share = np.clip((u * along[0] + v * along[1] + w * along[2]) / length2, 0, 1)
    du, dv, dw = u - share * along[0], v - share * along[1], w - share * along[2]
    # The bar is flat: its section is an ellipse, wide up-down or left-right.
    across = np.sqrt((du / half_u) ** 2 + (dv * dv + dw * dw) / half_w**2)
    distance = (across - 1) * min(half_u, half_w)
    distance = np.where(np.abs(du) < 0.5 * half_u, (across - 1) * half_w, distance)
    pixel, wall = canvas.grid.pixel_mm, 1.2 + body.cortex_mm[3]
    outer = cover(distance, pixel)
    inner = np.minimum(cover(distance + wall, pixel), outer)
    marrow = body.trabecular_hu + 30 + body.texture_hu * canvas.fine[index]
    hu = canvas.hu[index]
    hu *= 1 - outer
    hu += (0.85 * body.cortex_hu) * (outer - inner) + marrow * inner
    canvas.label[index][outer > 0.5] = body.code
