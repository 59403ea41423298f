"""Bridging osteophytes (DISH): bone that flows over the discs in front of several levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas, cover
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

_FIRST, _LAST = "T5", "L2"


@dataclass(frozen=True)
class Bridge:
    """Bone from the front of one body to the front of the next.

    Parameters
    ----------
    upper, lower : str
        The two levels.
    side_mm : float
        Its middle, to the right of the body's; the pulsating aorta keeps the left free.
    half_width_mm, thick_mm : float
        Left to right, and how far it stands out over the disc.
    """

    upper: str
    lower: str
    side_mm: float
    half_width_mm: float
    thick_mm: float


def draw_bridges(
    rng: np.random.Generator, share: float, names: tuple[str, ...]
) -> tuple[Bridge, ...]:
    """Draw the bridges of one person: none in most, else over at least four levels in a row.

    Notes
    -----
    Four contiguous levels are Resnick's criterion of DISH (Radiology 119:559-568, 1976).
    """
    if rng.random() >= share:
        return ()
    count = int(rng.integers(3, 7))
    low, high = names.index(_FIRST), names.index(_LAST)
    first = int(rng.integers(low, high - count + 1))
    side, half, thick = rng.uniform(3, 10), rng.uniform(7, 13), rng.uniform(2.5, 6.0)
    vary = rng.uniform(0.7, 1.2, count)
    return tuple(
        Bridge(names[k], names[k + 1], float(side), float(half), float(thick * vary[k - first]))
        for k in range(first, first + count)
    )


def paint_bridges(
    canvas: Canvas,
    bridges: tuple[Bridge, ...],
    bodies: tuple[Body, ...],
    places: tuple[Placement, ...],
) -> None:
    """Paint the bridges; bodies are painted over them.

    Each half is labeled as the vertebra it grew from, as in VerSe, and belongs to no body.
    """
    of = {body.name: (body, place) for body, place in zip(bodies, places, strict=True)}
    for bridge in bridges:
        (top, top_at), (low, low_at) = of[bridge.upper], of[bridge.lower]
        ends = [
            at.center + np.array([bridge.side_mm, body.depth / 2 - 1.0, 0.0]) @ at.axes
            for body, at in ((top, top_at), (low, low_at))
        ]
        _paint_bridge(canvas, bridge, (top, low), (ends[0], ends[1]), top_at)


def _paint_bridge(
    canvas: Canvas,
    bridge: Bridge,
    bodies: tuple[Body, Body],
    ends: tuple[np.ndarray, np.ndarray],
    place: Placement,
) -> None:
    middle = (ends[0] + ends[1]) / 2
    fat = np.array([bridge.half_width_mm, 2 * bridge.thick_mm, bridge.thick_mm]) + 2
    span = np.abs(ends[0] - ends[1]) / 2 + np.abs(place.axes.T) @ fat
    index = canvas.grid.crop(middle, (float(span[0]), float(span[1]), float(span[2])))
    if index is None:
        return
    points = local_points(canvas, index, Placement(ends[0], place.axes))
    along = ((ends[1] - ends[0]) @ place.axes.T).astype(np.float32)
    share = sum(p * a for p, a in zip(points, along, strict=True)) / float(along @ along)
    at = np.clip(share, 0, 1)
    du, dv, dw = (p - at * a for p, a in zip(points, along, strict=True))
    swell = bridge.thick_mm * (0.45 + 0.55 * np.sin(np.pi * at))
    rho = np.sqrt((du / bridge.half_width_mm) ** 2 + (dv / swell) ** 2 + (dw / 3.0) ** 2)
    distance = (rho - 1) * np.minimum(swell, bridge.half_width_mm) + 0.4 * canvas.mid[index]
    outer, inner = (
        cover(distance, canvas.grid.pixel_mm),
        cover(distance + 1.0, canvas.grid.pixel_mm),
    )
    marrow = bodies[0].trabecular_hu + 60 + bodies[0].texture_hu * canvas.fine[index]
    hu, label = canvas.hu[index], canvas.label[index]
    hu *= 1 - outer
    hu += 0.8 * bodies[0].cortex_hu * (outer - inner) + marrow * inner
    inside = outer > 0.5
    for body, half in ((bodies[0], share < 0.5), (bodies[1], share >= 0.5)):
        label[inside & half] = body.code
