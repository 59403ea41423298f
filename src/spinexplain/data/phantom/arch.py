"""Paints what lies behind the bodies: pedicles, laminae, facets and processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.data.phantom.anatomy import norm_of
from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas, cover
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

Strut = tuple[np.ndarray, np.ndarray, tuple[float, float, float]]
"""Start, end (u, v, w in mm) and half sizes along u, v, w of a rounded bar."""


def arch_struts(body: Body, vary: np.ndarray) -> list[Strut]:
    """Return the bars an arch is made of; ``vary`` holds 5 factors near 1."""
    norm = norm_of(body.name)
    size = body.depth / norm["depth"]
    n = {key: value * size for key, value in norm.items()}
    back = -body.depth / 2
    canal, half_w = n["canal_d"] * vary[0], n["canal_w"] / 2
    high = body.upper.posterior
    angle = np.deg2rad(norm["spin_deg"] * vary[1])
    root = np.array([0.0, back - canal - 3.0, -0.25 * high])
    backwards = np.array([0.0, -np.cos(angle), -np.sin(angle)])
    tip = root + n["spin_len"] * vary[2] * backwards
    half_s = n["spin_h"] / 2 * vary[3]
    start = root + 0.9 * half_s * backwards  # its rounded end must not reach the canal
    struts: list[Strut] = [(start, tip, (2.4 * size, half_s, half_s))]
    if body.name[0] == "S":
        return struts
    for side in (-1.0, 1.0):
        stem = np.array([side * (half_w + n["ped_w"] / 2), back + 2.0, 0.42 * high])
        knee = stem + np.array([0.0, -0.75 * canal, -0.15 * high])
        struts.append((stem, knee, (n["ped_w"] / 2, n["ped_w"] / 2, n["ped_h"] / 2)))
        lamina = root + np.array([side * 1.5, 1.0, -0.1 * high])
        struts.append((knee, lamina, (3.0, 3.2 * vary[4], 0.5 * high * vary[3])))
        reach = 18.0 if body.name[0] == "T" else 22.0
        rear = np.array([side * reach * size, -9.0 if body.name[0] == "T" else 0.0, 1.0])
        struts.append((knee, knee + rear, (3.5, 4.0, 5.0 * vary[4])))
        above = knee + np.array([side * 1.0, -1.0, 0.95 * high])
        below = knee + np.array([-side * 2.0, -4.0, -1.35 * high])
        struts.append((knee, above, (5.0, 4.0, 4.0)))
        struts.append((knee, below, (5.0, 4.0, 4.0)))
    return struts


def rib_struts(body: Body) -> list[Strut]:
    """Return the first third of both ribs of a thoracic level, as three bars each."""
    if body.name[0] != "T":
        return []
    size = body.depth / norm_of(body.name)["depth"]
    half, back, high = body.width / 2, -body.depth / 2, body.upper.posterior
    struts: list[Strut] = []
    for side in (-1.0, 1.0):
        head = np.array([side * (half - 1), back + 3, 0.7 * high])
        angle = np.array([side * (half + 24 * size), back - 22 * size, 0.2 * high])
        far = np.array([side * (half + 62 * size), back - 26 * size, -0.6 * high])
        front = np.array([side * (half + 92 * size), back + 20 * size, -1.8 * high])
        bars = ((head, angle, 3.2), (angle, far, 3.4), (far, front, 3.4))
        struts += [(start, end, (thick, thick, 4.6)) for start, end, thick in bars]
    return struts


def paint_arch(canvas: Canvas, body: Body, place: Placement, vary: np.ndarray) -> None:
    """Paint arch and ribs of one level with their cortex; bodies are painted over it.

    Ribs carry no label, as in VerSe.
    """
    paint_struts(canvas, body, place, arch_struts(body, vary), body.code)
    paint_struts(canvas, body, place, rib_struts(body), 0)


def paint_struts(
    canvas: Canvas, body: Body, place: Placement, struts: list[Strut], code: int
) -> None:
    """Paint bars with a body's bone; those with a ``code`` are labeled."""
    for start, end, half in struts:
        middle = (start + end) / 2
        span = np.abs(end - start) / 2
        fat = np.array(half) + 3
        center = place.center + middle @ place.axes
        reach_local = span + fat
        reach = np.abs(place.axes.T) @ reach_local
        index = canvas.grid.crop(center, (float(reach[0]), float(reach[1]), float(reach[2])))
        if index is None:
            continue
        points = local_points(canvas, index, place)
        if float(np.abs(points[0] - middle[0]).min()) > reach_local[0]:
            continue
        _paint_bar(canvas, index, replace(body, code=code), points, (start, end, half))


def _paint_bar(
    canvas: Canvas,
    index: tuple[slice, ...],
    body: Body,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    strut: Strut,
) -> None:
    start, end, (half_u, half_v, half_w) = strut
    along = (end - start).astype(np.float32)
    length2 = float(along @ along) + 1e-6
    u, v, w = (p - np.float32(s) for p, s in zip(points, start, strict=True))
    share = np.clip((u * along[0] + v * along[1] + w * along[2]) / length2, 0, 1)
    du, dv, dw = u - share * along[0], v - share * along[1], w - share * along[2]
    # First-order distance to an elliptic bar: (f - 1) / |grad f| of its level function f.
    swell = 0.85 + 0.3 * np.abs(2 * share - 1)
    nu, nv, nw = du / (half_u * swell), dv / (half_v * swell), dw / (half_w * swell)
    across = np.sqrt(nu * nu + nv * nv + nw * nw) + 1e-3
    slope = np.sqrt((nu / half_u) ** 2 + (nv / half_v) ** 2 + (nw / half_w) ** 2) + 1e-3
    distance = (across - 1) * across / slope + 0.7 * canvas.mid[index]
    pixel, wall = canvas.grid.pixel_mm, 0.6 + body.cortex_mm[3]
    outer = cover(distance, pixel)
    inner = np.minimum(cover(distance + wall, pixel), outer)
    marrow = body.trabecular_hu + 30 + body.texture_hu * canvas.fine[index] + 25 * canvas.mid[index]
    hu = canvas.hu[index]
    hu *= 1 - outer
    hu += (0.85 * body.cortex_hu) * (outer - inner) + marrow * inner
    if body.code:
        canvas.label[index][outer > 0.5] = body.code
