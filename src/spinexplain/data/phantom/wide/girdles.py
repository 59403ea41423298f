"""Pelvis, sacrum's wings, hips; collar bones, shoulder blades, arms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement
from spinexplain.data.phantom.wide.cage import Balls, BoneLook, bone
from spinexplain.data.phantom.wide.landmarks import Landmarks
from spinexplain.data.phantom.wide.outline import Outline
from spinexplain.data.phantom.wide.solids import Solid, chain, joined

At = Callable[[np.ndarray, float], np.ndarray]  # from the upright pelvis's frame, by side

_HEAD_HU = 110.0  # the head of the thigh bone is denser than other marrow
_USUAL_SLOPE = np.deg2rad(38.0)  # of the sacral endplate

# In the frame of an upright pelvis about the middle of S1: to the side, front, up (mm).
_CREST = ((44, -54, -20), (62, -44, 12), (88, -22, 38), (112, 8, 46), (128, 36, 26), (124, 60, -8))
_HUB = ((52, -34, -44), (60, -18, -48), (70, 0, -56), (84, 20, -62), (98, 42, -58), (112, 54, -40))
_HIP = np.array([90.0, 32.0, -88.0])
_SIT, _PUBIS = np.array([62.0, -14.0, -150.0]), np.array([9.0, 72.0, -112.0])


def draw_pelvis(
    rng: np.random.Generator,
    spine: tuple[tuple[Body, ...], tuple[Placement, ...]],
    size: float,
    look: BoneLook,
    fused_l5: tuple[float, float],
) -> list[Solid]:
    """Draw sacral wings, hip bones and thigh bones that go with the sacrum's tilt.

    Parameters
    ----------
    rng : numpy.random.Generator
    spine : bodies and placements
    size : float
    look : BoneLook
    fused_l5 : tuple of 2 floats
        How much the left and the right transverse process of the lowest lumbar level has
        grown into the sacrum, 0 to 1.
    """
    of = {b.name: (b, p) for b, p in zip(*spine, strict=True)}
    place = of["S1"][1]
    upright = _upright(place, rng.uniform(0.5, 1.0))
    flare, tall = rng.uniform(0.9, 1.1), rng.uniform(0.88, 1.16)
    lift, thick = rng.uniform(-14, 16), rng.uniform(0.8, 1.25)

    def at(points: np.ndarray, side: float) -> np.ndarray:
        """From the upright pelvis's frame to the patient's."""
        own = np.asarray(points, float) * size * np.array([flare, 1.0, tall])
        own = own * np.array([side, 1.0, 1.0]) + np.array([0.0, 0.0, lift * size])
        return np.asarray(place.center + own @ upright)

    solids = [bone(joined(*_sacral_wings(of, size)), look, 0.8), _foramina(of, size)]
    solids += _transverse_wings(of, size, look, fused_l5)
    for side in (-1.0, 1.0):
        hip = at(_HIP, side)
        solids.append(bone(_hip_bone(at, hip, side, (size, thick)), look, 0.9))
        solids.append(bone(_thigh(hip, side, size), _denser(look), 1.6))
    return solids


def _hip_bone(at: At, hip: np.ndarray, side: float, sizes: tuple[float, float]) -> Balls:
    """Return wing, socket, seat and pubis of one side."""
    size, thick = sizes
    return joined(
        _wing(at, side, size * thick),
        _socket(hip, side, size),
        chain([hip + np.array([0, -6, -16]), at(_SIT, side)], 13.0 * size),
        chain(at(np.stack([_HIP + np.array([-22, 12, 0]), _PUBIS]), side), 7.5 * size),
        chain(at(np.stack([_SIT, _PUBIS + np.array([0, -4, -14])]), side), 6.0 * size),
    )


def _thigh(hip: np.ndarray, side: float, size: float) -> Balls:
    """Return head, neck and upper shaft of one thigh bone."""
    out = hip + np.array([side * 46, -12, -8]) * size
    shaft = hip + np.array([side * 42, -6, -46]) * size
    low = shaft + np.array([0, 0, -90 * size])
    return joined(
        (hip[None], np.array([23.5 * size])),
        chain([hip, out], [15 * size, 17 * size]),
        chain([out, shaft, low], [17 * size, 15 * size, 14 * size]),
    )


def _upright(place: Placement, share: float) -> np.ndarray:
    """Return the rows of a pelvis's frame: the sacrum's, turned by its usual slope."""
    slope = np.arctan2(place.axes[2, 1], place.axes[2, 2])
    turn = share * (slope - _USUAL_SLOPE)
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _wing(at: At, side: float, size: float) -> Balls:
    """Return the wing of a hip bone: a plate between its crest and its hub."""
    u = np.linspace(0, 5, 34)
    knots = np.arange(6)
    crest, hub = (
        np.stack([np.interp(u, knots, np.array(line)[:, k]) for k in range(3)], axis=1)
        for line in (_CREST, _HUB)
    )
    v = np.linspace(0, 1, 20)[:, None, None]
    points = crest + (hub - crest) * v
    points[..., 0] -= 10 * np.sin(np.pi * v[..., 0])  # hollow inside
    radius = 3.6 + 3.0 * np.exp(-((v[..., 0] / 0.12) ** 2)) + 5.0 * v[..., 0] ** 3
    radius = radius + 3.0 * np.exp(-((u / 0.8) ** 2))
    return at(points.reshape(-1, 3), side), (np.broadcast_to(radius, (20, 34)) * size).ravel()


def _socket(hip: np.ndarray, side: float, size: float) -> Balls:
    angle, level = np.meshgrid(np.linspace(0, 2 * np.pi, 12), np.linspace(0.2, 1.3, 4))
    ring = np.stack(
        [-side * np.cos(level), np.sin(level) * np.cos(angle), np.sin(level) * np.sin(angle)],
        axis=-1,
    ).reshape(-1, 3)
    return hip + 33.0 * size * ring, np.full(len(ring), 6.5 * size)


def _sacral_wings(of: dict[str, tuple[Body, Placement]], size: float) -> list[Balls]:
    """Return the sacrum beside and below its first three bodies."""
    parts = []
    for name, reach, radius, drop in (
        ("S1", 50, 12.5, -8),
        ("S2", 43, 11.0, -4),
        ("S3", 31, 8.0, 0),
    ):
        body, place = of[name]
        for side in (-1.0, 1.0):
            near = np.array([side * 0.32 * body.width, -0.1 * body.depth, drop * 0.3 * size])
            far = np.array([side * reach * size, -0.5 * body.depth, drop * size])
            parts.append(chain(place.center + np.stack([near, far]) @ place.axes, radius * size))
            behind = np.array([side * 17 * size, -body.depth / 2 - 12 * size, 0])
            middle = np.array([0, -body.depth / 2 - 20 * size, 0])
            lamina = place.center + np.stack([far * [0.6, 1, 1], behind, middle]) @ place.axes
            parts.append(chain(lamina, 4.0 * size))
    body, place = of["S3"]
    start, down, front = place.center, -place.axes[2], place.axes[1]
    path = [start + down * 12 * size]
    for length, bend in ((16, 0.15), (15, 0.45), (12, 0.9), (10, 1.2)):
        way = np.cos(bend) * down + np.sin(bend) * front
        path.append(path[-1] + way * length * size)
    widths = np.array([16.0, 15.0, 11.0, 5.0, 3.0]) * size
    across = place.axes[0]
    for offset in (-1.0, 0.0, 1.0):
        line = np.array(path) + (offset * widths)[:, None] * across
        parts.append(chain(line, np.array([7.5, 7.0, 6.0, 5.0, 4.0]) * size))
    return parts


def _foramina(of: dict[str, tuple[Body, Placement]], size: float) -> Solid:
    """Return the holes beside the sacral bodies, filled with fat."""
    centers = []
    for upper, lower in (("S1", "S2"), ("S2", "S3")):
        (body, high), (_, low) = of[upper], of[lower]
        middle = (high.center + low.center) / 2
        for side in (-1.0, 1.0):
            local = np.array([side * 0.52 * body.width, -0.35 * body.depth, 0.0])
            ends = (
                middle
                + np.stack([local - np.array([0, 7, 0]), local + np.array([0, 9, 0])]) @ high.axes
            )
            centers.append(chain(ends, 4.2 * size))
    return Solid(*joined(*centers), hu=-70.0, texture_hu=20.0)


def _denser(look: BoneLook) -> BoneLook:
    return BoneLook(look.cortex_hu, look.cortex_mm, look.marrow_hu + _HEAD_HU)


def _transverse_wings(
    of: dict[str, tuple[Body, Placement]],
    size: float,
    look: BoneLook,
    fused: tuple[float, float],
) -> list[Solid]:
    """Return transverse processes that have grown into the sacrum."""
    body, place = of["L6" if "L6" in of else "L5"]
    solids = []
    for side, share in zip((-1.0, 1.0), fused, strict=True):
        if share <= 0:
            continue
        start = np.array([side * 0.42 * body.width, -0.35 * body.depth, 0.0])
        end = np.array([side * 52.0 * size, -0.4 * body.depth, -(10 + 16 * share) * size])
        path = place.center + np.stack([start, end]) @ place.axes
        solids.append(bone(chain(path, (5 + 7 * share) * size), look, 0.8))
    return solids


def draw_shoulders(
    rng: np.random.Generator, marks: Landmarks, outline: Outline, look: BoneLook, raised: bool
) -> list[Solid]:
    """Draw collar bones, shoulder blades and arms, hanging or raised beside the head."""
    solids: list[Solid] = []
    size = marks.size
    up = rng.uniform(20, 55) if raised else rng.uniform(-25, 12)
    soft = float(rng.uniform(25, 65))
    for side in (-1.0, 1.0):
        top = outline.around(np.array([side * (np.pi - 0.35)]), np.array([marks.height(1.3)]), 12)[
            0
        ]
        tip = marks.point(0.6, side * rng.uniform(132, 152), rng.uniform(-45, -5), up)
        bent = (top + tip) / 2 + np.array([0.0, 18.0, 4.0]) * size
        head = tip + np.array([side * 4, -6, -22]) * size
        arm = np.array([side * 0.35, -0.05, 1.0 if raised else -1.0])
        far = head + arm * rng.uniform(170, 260) * size
        flesh = chain([head, far], 44.0 * size, 0.3)
        solids.append(Solid(*flesh, hu=soft, rim_hu=-95.0, rim_mm=7.0, rough_mm=1.5))
        solids.append(bone(_blade(rng, marks, outline, side, head, raised), look, 0.7))
        solids.append(bone(chain([top, bent, tip], 5.5 * size), look, 1.2))
        humerus = joined((head[None], np.array([23.0 * size])), chain([head, far], 11.0 * size))
        solids.append(bone(humerus, look, 1.8))
    return solids


def _blade(
    rng: np.random.Generator,
    marks: Landmarks,
    outline: Outline,
    side: float,
    head: np.ndarray,
    raised: bool,
) -> Balls:
    """Return one shoulder blade: a triangle outside the ribs, its spine and its neck."""
    inner = rng.uniform(0.6, 0.8) + (0.25 if raised else 0.0)
    low = rng.uniform(6.4, 7.8) - (0.5 if raised else 0.0)
    rows = np.linspace(0, 1, 26)
    parts = []
    for share in rows:
        z = marks.height(1.2 + (low - 1.2) * share)
        angle = side * np.linspace(inner + 0.1 * share, inner + 0.15 + 0.75 * (1 - share), 12)
        line = outline.around(angle, np.full(12, z), 19.0)
        parts.append((line, np.full(12, 2.8 + 2.2 * (share > 0.9)) * marks.size))
    corner = parts[3][0]
    parts.append(
        chain([corner[1], corner[-1], head + np.array([-side * 14, 0, 0])], 6.5 * marks.size)
    )
    parts.append(
        chain(
            [
                corner[0] + np.array([0, -8, 0]),
                corner[6] + np.array([0, -16, 4]),
                head + np.array([0, -14, 22]),
            ],
            6.0,
        )
    )
    return joined(*parts)
