"""Metal and plastic in and on a person: screws, rods, cement, plates, joints, leads, the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.data.phantom.anatomy import norm_of
from spinexplain.data.phantom.hardware import METAL_HU
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement
from spinexplain.data.phantom.wide.landmarks import Landmarks
from spinexplain.data.phantom.wide.outline import Outline
from spinexplain.data.phantom.wide.solids import Solid, chain, ellipsoid, joined

Spine = tuple[tuple[Body, ...], tuple[Placement, ...]]


@dataclass(frozen=True, eq=False)
class Construct:
    """Foreign material in a spine.

    Parameters
    ----------
    kind : str
        ``"screws"``, ``"cement"``, ``"cage"`` or ``"plate"``.
    levels : tuple of str
        Where it is.
    solids : tuple of Solid
    """

    kind: str
    levels: tuple[str, ...]
    solids: tuple[Solid, ...]


def draw_construct(rng: np.random.Generator, spine: Spine, size: float) -> Construct:
    """Draw screws with rods, cement, cages or an anterior plate in one spine."""
    names = [body.name for body in spine[0]]
    kind = str(rng.choice(["screws", "cement", "cage", "plate"], p=[0.62, 0.22, 0.08, 0.08]))
    first, last = names.index("T2"), names.index("S1")
    count = int(rng.choice([2, 3, 4, 6, 9, 14], p=[0.3, 0.2, 0.16, 0.16, 0.1, 0.08]))
    if kind != "screws":
        count = int(rng.integers(1, 4))
    low = int(rng.integers(first + 2, last + (kind == "screws")))
    if rng.random() < 0.5:
        low = last if kind == "screws" else last - 1
    levels = tuple(names[max(low - count + 1, first) : low + 1])
    of = {b.name: (b, p) for b, p in zip(*spine, strict=True)}
    pairs = [of[name] for name in levels]
    draw = {"screws": _screws, "cement": _cement, "cage": _cages, "plate": _plate}[kind]
    return Construct(kind, levels, tuple(draw(rng, pairs, size)))


def _metal(rng: np.random.Generator) -> float:
    return float(rng.choice([METAL_HU, rng.uniform(1600, METAL_HU)], p=[0.7, 0.3]))


def _screws(
    rng: np.random.Generator, pairs: list[tuple[Body, Placement]], size: float
) -> list[Solid]:
    hu, radius = _metal(rng), float(rng.uniform(2.2, 3.8))
    sides = [(-1.0, 1.0), (1.0,)][int(rng.random() < 0.08)]
    skipped = rng.random((len(pairs), 2)) < 0.12
    parts = []
    for side in sides:
        heads = []
        for row, (body, place) in enumerate(pairs):
            norm = norm_of(body.name)
            wide = (norm["canal_w"] + norm["ped_w"]) / 2 * size
            high = body.upper.posterior
            reach = rng.uniform(0.1, 0.4)
            head = np.array([side * (wide + 4), -body.depth / 2 - 24 * size, 0.5 * high])
            tip = np.array([side * 0.45 * wide, reach * body.depth, 0.2 * high])
            heads.append(place.center + head @ place.axes)
            if not skipped[row, int(side > 0)] or len(pairs) < 3:
                ends = place.center + np.stack([tip, head]) @ place.axes
                parts.append(chain(ends, radius, 0.8))
                parts.append((heads[-1][None], np.array([radius + 3.0])))
        line = np.array(heads)
        beyond = line[[0, -1]] + np.array([[0, 0, 9.0], [0, 0, -9.0]])
        parts.append(chain(np.concatenate([beyond[:1], line, beyond[1:]]), 2.9, 0.8))
    if rng.random() < 0.3 and len(pairs) > 2:
        body, place = pairs[len(pairs) // 2]
        back = -body.depth / 2 - 26 * size
        cross = place.center + np.array([[-26.0, back, 0], [26.0, back, 0]]) @ place.axes
        parts.append(chain(cross, 2.5, 0.8))
    return [Solid(*joined(*parts), hu=hu, texture_hu=0.0, rough_mm=0.0)]


def _cement(
    rng: np.random.Generator, pairs: list[tuple[Body, Placement]], size: float
) -> list[Solid]:
    solids = []
    for body, place in pairs:
        tall = min(body.upper.posterior, body.upper.anterior)
        spots = rng.normal(0, 1, (9, 3)) * [0.2 * body.width, 0.16 * body.depth, 0.22 * tall]
        radii = rng.uniform(0.16, 0.42, 9) * tall
        centers = place.center + spots @ place.axes
        hu = float(rng.uniform(700, 2800))
        solids.append(Solid(centers, radii, hu, texture_hu=180.0, rough_mm=1.2))
    return solids


def _cages(
    rng: np.random.Generator, pairs: list[tuple[Body, Placement]], size: float
) -> list[Solid]:
    solids = []
    hu = float(rng.uniform(400, METAL_HU))
    for body, place in pairs:
        low = -(body.lower.posterior + 4.0)
        for side in (-0.5, 0.5) if rng.random() < 0.5 else (0.0,):
            points = np.array([[side * 18, -7, low], [side * 18, 7, low]]) * [size, size, 1.0]
            balls = chain(place.center + points @ place.axes, 4.2 * size, 0.6)
            solids.append(Solid(*balls, hu=100.0, rim_hu=hu, rim_mm=1.5))
    return solids


def _plate(
    rng: np.random.Generator, pairs: list[tuple[Body, Placement]], size: float
) -> list[Solid]:
    points = [p.center + np.array([0, b.depth / 2 + 2.5, 0]) @ p.axes for b, p in pairs]
    if len(points) == 1:
        points = [points[0] + np.array([0, 0, 9.0]), points[0] - np.array([0, 0, 9.0])]
    strip = chain(points, 2.0, 1.0)
    hu = _metal(rng)
    parts = [strip]
    for body, place in pairs:
        front = np.array([[0, body.depth / 2 + 2, 0], [0, 0.0, 0]])
        parts.append(chain(place.center + front @ place.axes, 1.8, 1.0))
    return [Solid(*joined(*parts), hu=hu, stretch=(2.5, 1.0, 1.0), texture_hu=0.0)]


def draw_devices(rng: np.random.Generator, marks: Landmarks, outline: Outline) -> list[Solid]:
    """Draw what else shines: wires, a pacemaker, leads, an artificial hip, clips, lines."""
    solids: list[Solid] = []
    wire: dict[str, Any] = {"hu": METAL_HU, "texture_hu": 0.0, "rough_mm": 0.0}
    chances = rng.random(7)
    if chances[0] < 0.06:
        for number in np.linspace(2.5, 7.5, 6):
            center = outline.around(np.array([np.pi]), np.array([marks.height(number)]), 6.0)[0]
            ring = center + 8 * np.stack([np.cos(_TURN), np.sin(_TURN), 0 * _TURN], axis=1)
            solids.append(Solid(*chain(ring, 0.8, 1.5), **wire))
    if chances[1] < 0.05:
        solids.append(ellipsoid(marks.point(2.0, -95, 66), (22, 6, 20), METAL_HU, texture_hu=0.0))
        lead = [marks.point(2.0, -95, 66), marks.point(2.0, 10, 42), marks.point(8.5, -20, 62)]
        solids.append(Solid(*chain(lead, 1.0, 1.5), **wire))
    if chances[2] < 0.05:
        side = float(rng.choice([-1.0, 1.0]))
        hip = marks.point(17, side * 90, -4, -88)
        stem = [hip, hip + np.array([side * 34, -6, -14]), hip + np.array([side * 44, -8, -100])]
        parts = joined((hip[None], np.array([21.0])), chain(stem, 8.0))
        solids.append(Solid(*parts, **wire))
    if chances[3] < 0.04:
        path = [marks.point(n, rng.normal(0, 2), -46) for n in (6.0, 9.0, 12.0)]
        solids.append(Solid(*chain(path, 1.2, 1.5), **wire))
    if chances[4] < 0.1:
        start, way = marks.point(12.5, 34, 70), rng.normal(0, 8, (5, 3))
        solids.append(Solid(start + way, np.full(5, 1.5), **wire))
    if chances[5] < 0.12:
        tube = [marks.point(0, 26, 30), marks.point(3, 20, 42), marks.point(6.5, 20, 44)]
        solids.append(Solid(*chain(tube, 1.3, 1.2), hu=float(rng.uniform(300, 1500))))
    if chances[6] < 0.1:
        tube = [marks.point(-3, 0, 10), marks.point(6, -4, 12), marks.point(11, -30, 40)]
        solids.append(Solid(*chain(tube, 2.0, 1.0), hu=float(rng.uniform(150, 900))))
    return solids + _bars(rng, marks)


_TURN = np.linspace(0, 2 * np.pi, 13)


def _bars(rng: np.random.Generator, marks: Landmarks) -> list[Solid]:
    """Draw dense things without a name, anywhere but in the spine."""
    solids = []
    for _ in range(int(rng.integers(0, 4))):
        side = float(rng.choice([-1.0, 1.0]) * rng.uniform(45, 150))
        start = marks.point(rng.uniform(-4, 18), side, rng.uniform(-60, 110))
        path = np.stack([start, start + rng.normal(0, 32, 3)])
        hu, radius = float(rng.uniform(200, 2500)), float(rng.uniform(1.5, 7))
        solids.append(Solid(*chain(path, radius), hu=hu, rim_hu=hu * 0.7, rim_mm=1.0))
    return solids


def draw_table(rng: np.random.Generator, outline: Outline) -> list[Solid]:
    """Draw the table under the back, curved or flat, with its mattress."""
    low, high = float(outline.z[0]) - 100, float(outline.z[-1]) + 100
    floor = float(outline.skin[3:, 2].min()) - rng.uniform(0, 12)
    bend, half = rng.uniform(0, 0.0018), rng.uniform(180, 240)
    thick = float(rng.uniform(3, 12))
    across = np.linspace(-half, half, 24)
    shell, deep = float(rng.uniform(-250, 250)), float(rng.uniform(8, 40))
    rows = []
    for z in np.arange(low, high, 40.0):
        line = np.stack([across, floor - deep + bend * across**2, np.full(24, z)], axis=1)
        rows.append((line, np.full(24, 1.0)))
    centers, radii = joined(*rows)
    step = 2 * half / 23
    return [
        Solid(
            centers,
            radii,
            hu=float(rng.uniform(-950, -850)),
            rim_hu=shell,
            rim_mm=1.5,
            texture_hu=2.0,
            stretch=(0.75 * step, thick, 30.0),
        )
    ]
