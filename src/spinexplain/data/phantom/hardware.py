"""Foreign material: pedicle screws with rods, bone cement, cages. Such levels are graded x."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.anatomy import norm_of
from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

METAL_HU = 3071.0


@dataclass(frozen=True)
class Implant:
    """Foreign material in one vertebra.

    Parameters
    ----------
    level : str
    kind : str
        ``"screws"``, ``"cement"`` or ``"cage"`` (in the disc below).
    hu : float
    size_mm : float
        Radius of the screws, of the cement, or half height of the cage.
    """

    level: str
    kind: str
    hu: float
    size_mm: float


def draw_implants(
    rng: np.random.Generator, share: float, levels: tuple[str, ...]
) -> tuple[Implant, ...]:
    """Draw the implants of one person: none in most, else a construct of one to four levels."""
    if rng.random() >= share:
        return ()
    kind = str(rng.choice(["screws", "cement", "cage"], p=[0.45, 0.4, 0.15]))
    first = int(rng.integers(5, len(levels) - 1))
    count = int(rng.integers(2, 5)) if kind == "screws" else int(rng.integers(1, 3))
    hu, size = {
        "screws": (METAL_HU, rng.uniform(2.2, 3.4)),
        "cement": (rng.uniform(1000, 2800), rng.uniform(5, 11)),
        "cage": (rng.uniform(700, METAL_HU), rng.uniform(3, 5)),
    }[kind]
    chosen = levels[first : first + count]
    return tuple(Implant(level, kind, float(hu), float(size)) for level in chosen)


def paint_implants(
    canvas: Canvas,
    implants: tuple[Implant, ...],
    bodies: tuple[Body, ...],
    places: tuple[Placement, ...],
) -> None:
    """Paint implants over the finished bones."""
    of = {body.name: (body, place) for body, place in zip(bodies, places, strict=True)}
    for implant in implants:
        body, place = of[implant.level]
        if implant.kind == "cement":
            _paint_cement(canvas, implant, body, place)
        elif implant.kind == "cage":
            _paint_cage(canvas, implant, body, place)
        else:
            _paint_screws(canvas, implant, body, place)


def _paint_cement(canvas: Canvas, implant: Implant, body: Body, place: Placement) -> None:
    reach = implant.size_mm * 1.5 + 3
    index = canvas.grid.crop(place.center, (2 * reach, reach, reach))
    if index is None:
        return
    u, v, w = local_points(canvas, index, place)
    tall = 0.7 * min(body.upper.posterior, body.upper.anterior)
    rho = np.sqrt((u / 1.5) ** 2 + (v - 2) ** 2 + (w * implant.size_mm / tall) ** 2)
    distance = rho - implant.size_mm + 1.6 * canvas.mid[index] + 1.5 * canvas.coarse[index]
    inside = canvas.body[index] == body.code
    blend(canvas.hu[index], cover(distance, canvas.grid.pixel_mm) * inside, implant.hu)


def _paint_cage(canvas: Canvas, implant: Implant, body: Body, place: Placement) -> None:
    below = place.center - place.axes[2] * (body.lower.posterior + implant.size_mm)
    half = (0.25 * body.width, 0.3 * body.depth, implant.size_mm)
    reach = max(half) + 3
    index = canvas.grid.crop(below, (reach, reach, reach))
    if index is None:
        return
    u, v, w = local_points(canvas, index, Placement(below, place.axes))
    box = np.maximum(np.maximum(np.abs(u) - half[0], np.abs(v) - half[1]), np.abs(w) - half[2])
    wall = np.abs(box + 1.2) - 1.2
    blend(canvas.hu[index], cover(wall, canvas.grid.pixel_mm), implant.hu)


def _paint_screws(canvas: Canvas, implant: Implant, body: Body, place: Placement) -> None:
    norm = norm_of(body.name)
    size = body.depth / norm["depth"]
    side = (norm["canal_w"] + norm["ped_w"]) / 2 * size
    back = -body.depth / 2
    for sign in (-1.0, 1.0):
        tip = np.array([sign * 0.45 * side, 0.25 * body.depth, 0.2 * body.upper.posterior])
        head = np.array([sign * (side + 3), back - 22.0, 0.45 * body.upper.posterior])
        rise = np.array([0.0, 0.0, 1.1 * body.upper.posterior])
        _paint_rod(canvas, implant.hu, place, (tip, head), implant.size_mm)
        _paint_rod(canvas, implant.hu, place, (head - rise, head + rise), 2.8)


def _paint_rod(
    canvas: Canvas,
    hu: float,
    place: Placement,
    ends: tuple[np.ndarray, np.ndarray],
    radius: float,
) -> None:
    start, end = ends
    middle = place.center + (start + end) / 2 @ place.axes
    span = np.abs(place.axes.T) @ (np.abs(end - start) / 2) + radius + 2
    index = canvas.grid.crop(middle, (float(span[0]), float(span[1]), float(span[2])))
    if index is None:
        return
    u, v, w = local_points(canvas, index, place)
    along = end - start
    du, dv, dw = u - start[0], v - start[1], w - start[2]
    share = np.clip((du * along[0] + dv * along[1] + dw * along[2]) / (along @ along), 0, 1)
    away = (du - share * along[0]) ** 2 + (dv - share * along[1]) ** 2
    distance = np.sqrt(away + (dw - share * along[2]) ** 2) - radius
    blend(canvas.hu[index], cover(distance, canvas.grid.pixel_mm), hu)
