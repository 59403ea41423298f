"""The neck above the fifth cervical level, and the skull base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, norm_of
from spinexplain.data.phantom.bodies import draw_body
from spinexplain.data.phantom.draw import Subject
from spinexplain.data.phantom.posture import angle_at
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement, Posture
from spinexplain.data.phantom.transitional import resized
from spinexplain.data.phantom.wide.cage import BoneLook, bone
from spinexplain.data.phantom.wide.solids import Solid, chain, ellipsoid, joined

At = Callable[..., np.ndarray]  # from the skull's frame to the patient's, mm

UPPER = ("C2", "C3", "C4")
_BENDING = ("C2", "C3", "C4", "C5", "C6", "C7", "T1", "T2")  # each with the disc below
_MOST_BEND = np.deg2rad(9.0)


def with_neck(rng: np.random.Generator, preset: Preset, subject: Subject) -> Subject:
    """Return the person with C2 to C4 on top; no other level changes."""
    assert subject.person is not None
    c5 = LEVEL_NAMES.index("C5")
    bodies = tuple(
        resized(draw_body(rng, preset, subject.person, c5, well_formed=True), name)
        for name in UPPER
    )
    posture = _taller(rng, subject.posture, bodies)
    grown = replace(subject, bodies=(*bodies, *subject.bodies), posture=posture)
    return _head_up(grown, float(np.deg2rad(np.clip(rng.normal(10, 12), -15, 35))))


def _head_up(subject: Subject, lean: float) -> Subject:
    """Bend the neck so that C2 leans forward by ``lean`` radians, within what necks can do."""
    names = subject.names
    posture = subject.posture
    now = posture.tilt + angle_at(subject.bodies, posture, "C2")
    joints = [k for k, name in enumerate(names) if name in _BENDING]
    each = np.clip((lean - now) / len(joints), -_MOST_BEND, _MOST_BEND)
    flex = posture.flex.copy()
    flex[joints] += each
    return replace(subject, posture=replace(posture, flex=flex))


def _taller(rng: np.random.Generator, old: Posture, bodies: tuple[Body, ...]) -> Posture:
    n = len(bodies)
    norms = [norm_of(body.name) for body in bodies]
    disc = np.array([norm["disc"] for norm in norms]) * rng.uniform(0.6, 1.2)
    flex = np.deg2rad(np.array([norm["disc_flex"] for norm in norms]) + rng.normal(0, 4, n))
    way = np.clip(old.side_mm[0] - old.side_mm[1], -3, 3)
    side = old.side_mm[0] + way * np.arange(n, 0, -1)
    return replace(
        old,
        disc=np.r_[disc, old.disc],
        flex=np.r_[flex, old.flex],
        slip_mm=np.r_[rng.normal(0, 0.5, n), old.slip_mm],
        side_mm=np.r_[side, old.side_mm],
        roll=np.r_[np.full(n, old.roll[0]), old.roll],
        yaw=np.r_[np.full(n, old.yaw[0]), old.yaw],
    )


def atlas_center(body: Body, place: Placement) -> np.ndarray:
    """Return the middle of the atlas's front, where the tooth of C2 stands, RAS+ mm."""
    return np.asarray(place.center + np.array([0, 1.5, body.upper.posterior + 9.0]) @ place.axes)


def draw_skull(
    rng: np.random.Generator,
    spine: tuple[tuple[Body, ...], tuple[Placement, ...]],
    size: float,
    look: BoneLook,
) -> list[Solid]:
    """Draw tooth and atlas, the skull with jaws and teeth, and the airway behind the face."""
    body, place = spine[0][0], spine[1][0]
    nod = rng.normal(0.0, 0.12)
    turn = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    ring = atlas_center(body, place)

    def at(*points: tuple[float, float, float]) -> np.ndarray:
        return np.asarray(ring + np.array(points) * size @ turn)

    tooth = chain(
        place.center + np.array([[0, 0, 4], [0, 0.5, 22]]) * size @ place.axes, 5.0 * size
    )
    solids = [bone(tooth, look), *_atlas(at, size, look)]
    middle = at((0, 12, 88))[0]
    half = np.array([70, 90, 68]) * rng.uniform(0.94, 1.06, 3) * size
    thick = rng.uniform(4, 8)
    solids.append(ellipsoid(middle, half, 34.0, rim_hu=look.cortex_hu, rim_mm=thick))
    solids.append(ellipsoid(at((0, -8, 16))[0], (17 * size, 18 * size, 12 * size), 25.0))
    base = joined(
        chain(at((0, 8, 14), (0, 24, 38)), 8.0 * size),  # clivus
        chain(at((-60, 4, 22), (-22, 12, 24)), 13.0 * size),
        chain(at((60, 4, 22), (22, 12, 24)), 13.0 * size),
        chain(at((-19, 0, 12), (-20, -14, 12)), 7.0 * size),
        chain(at((19, 0, 12), (20, -14, 12)), 7.0 * size),
    )
    solids.append(bone(base, look, 1.5))
    solids += _face(rng, at, size, look)
    return solids


def _atlas(at: At, size: float, look: BoneLook) -> list[Solid]:
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = [(20 * np.sin(a), 20 * np.cos(a) - 13, 0.0) for a in angle]
    parts = [chain(at(*ring), 3.6 * size)]
    for side in (-1.0, 1.0):
        parts.append(chain(at((side * 17, -6, -3), (side * 19, -8, 4)), 7.0 * size))
        parts.append(chain(at((side * 18, -7, 0), (side * 38, -9, 0)), 4.0 * size))
    return [bone(joined(*parts), look)]


def _face(rng: np.random.Generator, at: At, size: float, look: BoneLook) -> list[Solid]:
    drop = rng.uniform(-4, 14)
    jaw = [(52, 22, 14), (49, 34, -24 - drop), (30, 70, -30 - drop), (0, 86, -32 - drop)]
    path = [*jaw, *[(-x, y, z) for x, y, z in reversed(jaw[:-1])]]
    teeth = [(26, 68, -12), (14, 82, -13), (0, 86, -13), (-14, 82, -13), (-26, 68, -12)]
    filled = float(rng.choice([1600.0, 3000.0], p=[0.75, 0.25]))
    upper = joined(
        chain(at((24, 62, 4), (0, 80, 2), (-24, 62, 4)), 9.0 * size),
        chain(at((38, 62, 34), (56, 40, 32), (60, 20, 30)), 5.0 * size),
        chain(at((-38, 62, 34), (-56, 40, 32), (-60, 20, 30)), 5.0 * size),
    )
    tube = chain(at((0, 48, 30), (0, 22, 10), (0, 17, -20), (0, 19, -50)), 8.0 * size)
    return [
        Solid(*tube, hu=-980.0, stretch=(1.4, 0.8, 1.0)),
        ellipsoid(at((0, 62, 30))[0], (28 * size, 26 * size, 24 * size), -300.0, texture_hu=450.0),
        bone(chain(at(*path), 6.0 * size), look, 1.5),
        bone(upper, look),
        Solid(*chain(at(*teeth), 4.5 * size), hu=filled, texture_hu=300.0),
    ]
