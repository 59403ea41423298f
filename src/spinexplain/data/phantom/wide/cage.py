"""Ribs to the costal arch, cartilage and the sternum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement
from spinexplain.data.phantom.wide.landmarks import NUMBERS, Landmarks
from spinexplain.data.phantom.wide.outline import Outline
from spinexplain.data.phantom.wide.solids import Solid, chain, joined

Balls = tuple[np.ndarray, np.ndarray]

# rib: how far its front end sinks (mm), angle at which the bone ends (0 behind, pi in front)
_SINK_MM = (26, 44, 58, 70, 80, 88, 95, 100, 100, 94, 72, 42)
_BONE_END = (2.5, 2.55, 2.55, 2.5, 2.45, 2.4, 2.3, 2.15, 2.0, 1.8, 1.35, 0.85)
_REACHES_STERNUM = 7
_FIRST_ANGLE = 0.42


@dataclass(frozen=True)
class BoneLook:
    """What a person's other bones are made of; HU, mm."""

    cortex_hu: float
    cortex_mm: float
    marrow_hu: float


def bone(balls: Balls, look: BoneLook, share: float = 1.0, **more: Any) -> Solid:
    """Return a bone of the given look; ``share`` thins its cortex."""
    return Solid(
        *balls,
        hu=look.marrow_hu,
        rim_hu=look.cortex_hu,
        rim_mm=look.cortex_mm * share,
        texture_hu=22.0,
        **more,
    )


def draw_cage(
    rng: np.random.Generator,
    spine: tuple[tuple[Body, ...], tuple[Placement, ...]],
    marks: Landmarks,
    outline: Outline,
    look: BoneLook,
    ribs: dict[str, float],
) -> list[Solid]:
    """Draw the bones of one chest.

    Parameters
    ----------
    rng : numpy.random.Generator
    spine : bodies and placements
    marks : Landmarks
    outline : Outline
    look : BoneLook
    ribs : dict
        Level name to the length of its ribs, a share of the usual one; levels not named
        have none.

    Returns
    -------
    list of Solid
        Cartilage first, then ribs, then the sternum.
    """
    of = {b.name: (b, p) for b, p in zip(*spine, strict=True)}
    steep, thick = rng.uniform(0.75, 1.2), rng.uniform(3.1, 4.2) * marks.size
    bones, soft, ends = [], [], {}
    sides = rng.normal(1.0, 0.04, (len(ribs), 2))
    for row, (name, length) in enumerate(ribs.items()):
        for side, vary in zip((-1.0, 1.0), sides[row], strict=True):
            path = _rib(*of[name], outline, side, (steep, length * float(vary)), marks.size)
            bones.append(chain(path, thick if name != "T1" else 0.9 * thick))
            ends[name, side] = path
    for (name, side), path in ends.items():
        soft += _cartilage(name, side, path, ends, marks, outline)
    calcified = float(rng.choice([rng.uniform(70, 140), rng.uniform(200, 600)], p=[0.6, 0.4]))
    flat = (1.0, 1.0, 1.35)
    solids = []
    if soft:
        solids.append(Solid(*joined(*soft), hu=90.0, rim_hu=calcified, rim_mm=0.8, stretch=flat))
    if bones:
        solids.append(bone(joined(*bones), look, stretch=flat))
    return [*solids, _sternum(rng, marks, outline, look)]


def _rib(
    body: Body,
    place: Placement,
    outline: Outline,
    side: float,
    shape: tuple[float, float],
    size: float,
) -> np.ndarray:
    """Return the path of one rib from its head to the end of its bone, shape (N, 3)."""
    steep, length = shape
    k = int(np.clip(NUMBERS.get(body.name, 12), 0, 11))
    half, back, high = body.width / 2, -body.depth / 2, body.upper.posterior
    near = [
        (side * (half - 1), back + 3, 0.7 * high),
        (side * (half + 16 * size), back - 13 * size, 0.3 * high),
    ]
    root = place.center + np.array(near) @ place.axes
    last = _FIRST_ANGLE + (_BONE_END[k] - _FIRST_ANGLE) * length
    if last < _FIRST_ANGLE + 0.1:
        return root[: 1 + int(length > 0.1)] if length < 0.02 else root
    angle = np.linspace(_FIRST_ANGLE, last, 14)
    share = np.sin(np.clip((angle - 0.1) / _BONE_END[k], 0, 1) * np.pi / 2) ** 1.5
    z = root[1, 2] - 4 * size - _SINK_MM[k] * size * steep * share
    return np.concatenate([root, outline.around(side * angle, z, 3.0)])


def _cartilage(
    name: str,
    side: float,
    path: np.ndarray,
    ends: dict[tuple[str, float], np.ndarray],
    marks: Landmarks,
    outline: Outline,
) -> list[Balls]:
    k = NUMBERS.get(name, 12) + 1
    end = path[-1]
    if k > 10:
        return []
    if k <= _REACHES_STERNUM:
        z = marks.height(1.8 + 0.95 * k)
        at = outline.around(np.array([side * (np.pi - 0.12)]), np.array([z]), 4.0)[0]
        middle = (end + at) / 2 + np.array([0.0, 4.0, -6.0])
        return [chain([end, middle, at], 4.0 * marks.size)]
    above = ends.get((f"T{k - 1}", side))
    if above is None:
        return []
    return [
        chain(
            [end, (end + above[-1]) / 2 + np.array([-side * 8, 5, 0]), above[-1]], 4.0 * marks.size
        )
    ]


def _sternum(rng: np.random.Generator, marks: Landmarks, outline: Outline, look: BoneLook) -> Solid:
    numbers = np.linspace(1.6, rng.uniform(7.5, 9.0), 32)
    z = np.array([marks.height(n) for n in numbers])
    middle = outline.around(np.full(len(z), np.pi), z, 6.0)
    half = np.where(numbers < 3.2, 20.0, 13.0) * marks.size
    parts = [
        chain([m - np.array([h, 0, 0]), m + np.array([h, 0, 0])], 6.0 * marks.size)
        for m, h in zip(middle, half, strict=True)
    ]
    return bone(joined(*parts), look, 0.7, stretch=(1.0, 0.85, 1.3))


def usual_ribs(
    names: Sequence[str], last: float, lumbar: float, lengths: np.ndarray
) -> dict[str, float]:
    """Return the lengths of the ribs of the named levels as shares of the usual ones.

    Parameters
    ----------
    names : sequence of str
    last : float
        Of the lowest thoracic level: 0 for none.
    lumbar : float
        Of L1: 0 for none.
    lengths : ndarray, shape (12,)
        Of T1 to T12.
    """
    ribs = {f"T{i}": float(lengths[i - 1]) for i in range(1, 13) if f"T{i}" in names}
    if "T13" in names:
        ribs["T13"] = float(lengths[11]) * last
    elif last <= 0:
        ribs.pop("T12", None)
    else:
        ribs["T12"] = ribs.get("T12", 1.0) * last
    if lumbar > 0:
        ribs["L1"] = lumbar
    return ribs
