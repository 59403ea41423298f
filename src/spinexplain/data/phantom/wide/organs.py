"""Organs, vessels and gut, with what contrast medium does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.data.phantom.wide.landmarks import Landmarks
from spinexplain.data.phantom.wide.outline import Outline
from spinexplain.data.phantom.wide.solids import Solid, chain, ellipsoid, joined

PHASES = ("native", "arterial", "portal", "late")
_BLOOD = {"native": (30, 55), "arterial": (200, 480), "portal": (120, 210), "late": (80, 130)}
_VEIN = {"native": (30, 50), "arterial": (40, 120), "portal": (110, 190), "late": (80, 130)}
_LIVER = {"native": (20, 70), "arterial": (50, 85), "portal": (80, 135), "late": (70, 110)}
_SPLEEN = {"native": (40, 60), "arterial": (80, 180), "portal": (95, 140), "late": (80, 110)}
_KIDNEY = {"native": (22, 40), "arterial": (90, 200), "portal": (140, 230), "late": (120, 190)}


@dataclass(frozen=True)
class Contrast:
    """What a person was given before the scan.

    Parameters
    ----------
    phase : str
        One of ``PHASES``: when the scan was taken after contrast medium into a vein.
    oral_hu : float
        Of the gut's content after contrast medium by mouth; 0 for none.
    """

    phase: str
    oral_hu: float


def draw_contrast(rng: np.random.Generator, phases: tuple[float, ...], oral: float) -> Contrast:
    """Draw what one person was given; ``phases`` are shares of ``PHASES``."""
    p = np.array(phases) / sum(phases)
    phase = PHASES[int(rng.choice(len(PHASES), p=p))]
    dense = float(rng.uniform(120, 800))
    return Contrast(phase, dense if rng.random() < oral else 0.0)


def draw_organs(
    rng: np.random.Generator, marks: Landmarks, outline: Outline, contrast: Contrast
) -> list[Solid]:
    """Draw the organs of one person, from behind to front."""

    def of(table: dict[str, tuple[int, int]]) -> float:
        return float(rng.uniform(*table[contrast.phase]))

    blood, vein = of(_BLOOD), of(_VEIN)
    solids = _psoas(rng, marks)
    solids += _abdomen(rng, marks, of(_LIVER), of(_SPLEEN))
    solids += _gut(rng, marks, contrast.oral_hu)
    solids += _kidneys(rng, marks, of(_KIDNEY), contrast.phase)
    solids += _pelvic(rng, marks, contrast)
    solids += _heart(rng, marks, outline, blood)
    solids += _lung_vessels(rng, marks, outline, blood)
    return solids + _vessels(rng, marks, blood, vein) + _airways(rng, marks)


def _psoas(rng: np.random.Generator, marks: Landmarks) -> list[Solid]:
    solids = []
    hu, bulk = float(rng.uniform(20, 70)), rng.uniform(0.7, 1.25)
    for side in (-1.0, 1.0):
        path = [
            marks.point(12.0, side * 24, -24),
            marks.point(14.0, side * 33, -20),
            marks.point(16.0, side * 44, -12),
            marks.point(17.0, side * 60, 4, -18),
            marks.point(17.0, side * 76, 26, -62),
        ]
        thick = np.array([6, 15, 19, 18, 15]) * bulk * marks.size
        solids.append(Solid(*chain(path, thick, 0.4), hu=hu, rim_hu=-90.0, rim_mm=0.7))
        quadratus = [marks.point(12.0, side * 46, -48), marks.point(16.0, side * 62, -42)]
        solids.append(
            Solid(*chain(quadratus, 11 * bulk * marks.size, 0.4), hu=hu, stretch=(1.4, 0.8, 1.0))
        )
    return solids


def _abdomen(
    rng: np.random.Generator, marks: Landmarks, liver: float, spleen: float
) -> list[Solid]:
    size = marks.size
    solids = []
    if rng.random() < 0.96:
        center = marks.point(10.8, rng.uniform(50, 66), rng.uniform(28, 44), rng.uniform(-25, 12))
        half = np.array([62, 62, 72]) * rng.uniform(0.85, 1.15, 3) * size
        solids.append(ellipsoid(center, half, liver, rough_mm=1.5))
        left = marks.point(10.2, rng.uniform(-10, 15), rng.uniform(58, 74), 0)
        solids.append(ellipsoid(left, half * [0.9, 0.5, 0.5], liver, rough_mm=1.5))
    if rng.random() < 0.93:
        center = marks.point(11.0, rng.uniform(-92, -78), rng.uniform(-22, 6), rng.uniform(-15, 25))
        half = np.array([26, 36, 48]) * rng.uniform(0.75, 1.25, 3) * size
        solids.append(ellipsoid(center, half, spleen, rough_mm=1.5))
    if rng.random() < 0.9:
        center = marks.point(11.3, rng.uniform(-60, -30), rng.uniform(45, 75), rng.uniform(-30, 25))
        half = rng.uniform(22, 46, 3) * size
        air = float(center[1] + rng.uniform(-0.6, 0.9) * half[1])
        filled = float(rng.choice([rng.uniform(-10, 50), rng.uniform(60, 400)], p=[0.75, 0.25]))
        solids.append(_bag(center, half, filled, air))
    if rng.random() < 0.6:
        center = marks.point(12.4, rng.uniform(30, 48), rng.uniform(62, 88))
        solids.append(ellipsoid(center, rng.uniform(10, 20, 3) * size, float(rng.uniform(0, 25))))
    return solids


def _bag(center: np.ndarray, half: np.ndarray, hu: float, level_mm: float | None) -> Solid:
    """Return a filled sac with a wall; above the level, RAS+ mm along y, there is air."""
    x, y, z = (float(h) for h in half)
    return Solid(
        center[None],
        np.ones(1),
        hu,
        rim_hu=55.0,
        rim_mm=3.5,
        rough_mm=1.5,
        stretch=(x, y, z),
        level_mm=level_mm,
    )


def _kidneys(rng: np.random.Generator, marks: Landmarks, hu: float, phase: str) -> list[Solid]:
    solids = []
    for side in (-1.0, 1.0):
        if rng.random() > 0.96:
            continue
        center = marks.point(
            12.8 + 0.3 * (side > 0),
            side * rng.uniform(50, 64),
            rng.uniform(-30, 0),
            rng.uniform(-20, 18),
        )
        half = np.array([25, 26, 52]) * rng.uniform(0.85, 1.15, 3) * marks.size
        solids.append(ellipsoid(center, half * 1.3, -100.0, rough_mm=2.0))
        solids.append(ellipsoid(center, half, hu, rough_mm=1.0))
        hilum = center + np.array([-side * 10, 4, 0]) * marks.size
        urine = float(rng.uniform(300, 2000)) if phase == "late" else 5.0
        solids.append(ellipsoid(hilum, half * [0.55, 0.35, 0.5], -60.0, texture_hu=30.0))
        solids.append(ellipsoid(hilum, half * [0.35, 0.22, 0.3], urine))
        if phase == "late":
            path = [hilum, marks.point(15, side * 32, 6), marks.point(17.5, side * 48, 10)]
            solids.append(Solid(*chain(path, 2.2, 1.0), hu=urine))
        if rng.random() < 0.12:
            spot = center + rng.uniform(-0.9, 0.9, 3) * half
            cyst = float(rng.choice([5.0, rng.uniform(400, 1200)]))
            solids.append(ellipsoid(spot, np.full(3, rng.uniform(4, 22)), cyst))
    return solids


def _gut(rng: np.random.Generator, marks: Landmarks, oral_hu: float) -> list[Solid]:
    solids = []
    for _ in range(int(rng.integers(6, 22))):
        center = marks.point(
            rng.uniform(12.5, 17.5), rng.normal(0, 46), rng.uniform(26, 92), rng.uniform(-20, 10)
        )
        path = center + np.cumsum(rng.normal(0, 18, (4, 3)) * [1.3, 0.7, 0.6], axis=0)
        path[:, 1] = np.maximum(path[:, 1], center[1] - 8)
        solids.append(_loop(rng, path, float(rng.uniform(7, 15)) * marks.size, oral_hu))
    frames = (
        [(16.5, 88, 24), (14.5, 98, 14), (12.8, 92, 26)],
        [(12.8, 88, 40), (13.6, 40, 88), (13.4, -40, 88), (12.2, -88, 30)],
        [(12.2, -96, 12), (14.5, -102, 4), (16.5, -94, 18)],
        [(16.5, -90, 22), (17.8, -50, 40), (18.5, -5, 30), (19.5, 0, -6)],
    )
    for frame in frames:
        path = np.array([marks.point(n, x, a) for n, x, a in frame])
        path = path + rng.normal(0, 7, path.shape)
        solids.append(_loop(rng, path, float(rng.uniform(11, 26)) * marks.size, oral_hu))
    return solids


def _loop(rng: np.random.Generator, path: np.ndarray, radius: float, oral_hu: float) -> Solid:
    kind = rng.random()
    hu, texture = float(rng.uniform(0, 55)), 15.0
    if oral_hu and kind < 0.65:
        hu, texture = oral_hu * float(rng.uniform(0.4, 1.2)), 40.0
    elif kind > 0.7:
        hu, texture = float(rng.uniform(-900, -100)), float(rng.uniform(20, 250))
    gas = (
        float(path[:, 1].mean() + rng.uniform(-0.3, 0.9) * radius) if rng.random() < 0.35 else None
    )
    centers, radii = chain(path, radius, 0.5)
    return Solid(
        centers,
        radii * (1 + 0.12 * np.sin(np.arange(len(radii)) * rng.uniform(0.5, 1.5))),
        hu,
        rim_hu=float(rng.uniform(25, 90)),
        rim_mm=2.0,
        texture_hu=texture,
        rough_mm=1.5,
        level_mm=gas,
    )


def _pelvic(rng: np.random.Generator, marks: Landmarks, contrast: Contrast) -> list[Solid]:
    full = rng.uniform(0.4, 1.3)
    center = marks.point(17, rng.uniform(-8, 8), 42, -92)
    hu = float(rng.uniform(200, 1500)) if contrast.phase == "late" else float(rng.uniform(0, 15))
    half = np.array([42, 34, 34]) * full * marks.size
    solids = [_bag(center, half, hu, None)]
    behind = marks.point(17, rng.uniform(-8, 8), 4, -70)
    solids.append(
        ellipsoid(behind, np.array([30, 24, 32]) * marks.size, float(rng.uniform(30, 110)))
    )
    return solids


def _heart(
    rng: np.random.Generator, marks: Landmarks, outline: Outline, blood: float
) -> list[Solid]:
    top = max(outline.diaphragm_z + 40, marks.height(8.8))
    center = marks.point(7.5, -20, rng.uniform(50, 62))
    center[2] = top + 22
    half = np.array([54, 42, 50]) * rng.uniform(0.85, 1.2, 3) * marks.size
    solids = [ellipsoid(center, half * 1.08, float(rng.uniform(-90, 40)))]
    solids.append(ellipsoid(center, half, float(rng.uniform(40, 110)), rough_mm=1.5))
    for offset, share in (
        ((-0.35, 0.3, -0.25), 0.62),
        ((0.5, 0.25, 0.0), 0.5),
        ((0.1, -0.5, 0.45), 0.6),
        ((0.0, 0.1, 0.75), 0.34),
    ):
        spot = center + (np.array(offset) + rng.normal(0, 0.06, 3)) * half
        size = half * share * rng.uniform(0.8, 1.1, 3)
        solids.append(ellipsoid(spot, size, blood * float(rng.uniform(0.8, 1.25)), rough_mm=1.5))
    front = marks.point(4.0, 0, rng.uniform(46, 60))
    fat = float(rng.uniform(-100, 30))
    solids.append(ellipsoid(front, np.array([26, 16, 45]) * marks.size, fat, texture_hu=20.0))
    trunk = [marks.point(n, x, f) for n, x, f in ((6.4, -20, 58), (5.0, -14, 42), (5.2, 28, 26))]
    return [*solids, Solid(*chain(trunk, 11.0 * marks.size, 0.4), hu=blood)]


def _lung_vessels(
    rng: np.random.Generator, marks: Landmarks, outline: Outline, blood: float
) -> list[Solid]:
    """Draw vessels that branch from each hilum towards the wall of the chest."""
    parts = []
    for side in (-1.0, 1.0):
        hilum = marks.point(5.4, side * 38, 20)
        for _ in range(16):
            angle = side * rng.uniform(0.5, 2.7)
            z = np.array([rng.uniform(outline.diaphragm_z + 10, marks.height(1.5))])
            wall = outline.around(np.array([angle]), z, -12.0)[0]
            bend = (hilum + wall) / 2 + rng.normal(0, 9, 3)
            parts.append(chain([hilum, bend, wall], [4.0, 2.2, 0.8]))
            tip = bend + rng.normal(0, 22, 3)
            parts.append(chain([bend, tip], [1.8, 0.7]))
    return [Solid(*joined(*parts), hu=blood)]


def _vessels(rng: np.random.Generator, marks: Landmarks, blood: float, vein: float) -> list[Solid]:
    aorta, fork = _aorta(rng, marks, blood)
    cava = [
        marks.point(9.0, 16, 42),
        marks.point(10.8, 20, 28),
        marks.point(12.8, 20, 14),
        marks.point(15.6, 18, 11),
    ]
    width = rng.uniform(7, 12) * marks.size
    solids = [*aorta, Solid(*chain(cava, width, 0.4), hu=vein, stretch=(1.2, 0.85, 1.0))]
    for side in (-1.0, 1.0):
        for start, hu, radius in ((fork, blood, 6.0), (cava[-1], vein, 7.0)):
            path = [start, marks.point(17, side * 38, 14), marks.point(17, side * 58, 48, -55)]
            solids.append(Solid(*chain(path, radius * marks.size, 0.5), hu=hu))
        for low, middle, high, hu, radius in (
            ((3, 10, 34), (-1, 22, 22), (-5, 26, 18), blood, 4.0),
            ((2.5, 24, 40), (-1, 32, 20), (-5, 33, 14), vein, 5.5),
        ):
            neck = [marks.point(n, side * x, f) for n, x, f in (low, middle, high)]
            solids.append(Solid(*chain(neck, radius * marks.size, 0.6), hu=hu))
    vena = [marks.point(2.5, 22, 40), marks.point(6.0, 24, 44)]
    dense = vein if rng.random() < 0.7 else float(rng.uniform(300, 1500))
    return [*solids, Solid(*chain(vena, 9.0 * marks.size, 0.5), hu=dense)]


def _aorta(
    rng: np.random.Generator, marks: Landmarks, blood: float
) -> tuple[list[Solid], np.ndarray]:
    """Return the aorta and where it forks; some are calcified, widened or stented."""
    r = rng.uniform(9, 14) * marks.size
    wind, gap = rng.normal(0, 3.5, 6), rng.uniform(1, 6)
    course = ((4.0, -22, 2), (6.5, -18, 2), (9.0, -14, 6), (11.5, -8, 11), (13.5, -6, 12))
    down = [
        marks.point(n, s + w, f + gap)
        for (n, s, f), w in zip((*course, (15.4, -4, 12)), wind, strict=True)
    ]
    arch = [marks.point(n, x, f) for n, x, f in ((6.0, 12, 55), (3.6, 14, 48), (2.9, 0, 36))]
    arch += [marks.point(3.1, -16, 14), down[0]]
    chances, hard, stent = rng.random(3), rng.uniform(150, 700), rng.uniform(1200, 3000)
    wall = 40.0
    if chances[0] < 0.35:  # calcified
        wall = float(hard)
    if chances[1] < 0.05:  # a stent
        wall = float(stent)
    thick = r * np.array([1.1, 1.0, 0.95, 0.85, 0.8, 0.75])
    if chances[2] < 0.07:  # an aneurysm
        thick[4] *= rng.uniform(1.4, 2.6)
        down[4][1] += thick[4] - r
    solids = [
        Solid(*chain(arch, 1.2 * r, 0.4), hu=blood, rim_hu=40.0, rim_mm=1.0),
        Solid(*chain(down, thick, 0.4), hu=blood, rim_hu=wall, rim_mm=1.0),
    ]
    return solids, down[-1]


def _airways(rng: np.random.Generator, marks: Landmarks) -> list[Solid]:
    r = rng.uniform(6.5, 10) * marks.size
    fork = marks.point(4.3, 2, 26)
    wind = [marks.point(n, rng.normal(1, 3), f) for n, f in ((-3.5, 22), (-1, 20), (2, 22))]
    airy: dict[str, Any] = {"hu": -980.0, "rim_hu": 45.0, "rim_mm": 2.0, "texture_hu": 2.0}
    solids = [Solid(*chain([*wind, fork], r, 0.4), **airy)]
    for side, low in ((1.0, 5.2), (-1.0, 5.6)):
        path = [fork, marks.point(low, side * 26, 26), marks.point(low + 1.2, side * 42, 20)]
        solids.append(Solid(*chain(path, [0.8 * r, 0.7 * r, 0.4 * r], 0.4), **airy))
    gullet = [marks.point(-2, -3, 9), marks.point(5, -4, 13), marks.point(9, -8, 22)]
    air = float(rng.choice([30.0, -600.0], p=[0.7, 0.3]))
    tube = Solid(*chain(gullet, 6 * marks.size, 0.5), hu=air, rim_hu=40.0, rim_mm=3.0)
    bulb = joined(chain([marks.point(-3.6, 0, 30), marks.point(-2.6, 0, 32)], 11.0 * marks.size))
    return [Solid(*bulb, hu=70.0, texture_hu=60.0), tube, *solids]
