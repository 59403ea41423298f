"""A whole spine: bodies drawn by level and stacked from the sacrum to the neck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.shape import Body, Endplate


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a body sits: origin (mm) and rows ``u, v, w`` of its frame in RAS+."""

    center: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True, eq=False)
class Posture:
    """How the spine stands: discs and curves, arrays over ``LEVEL_NAMES``.

    ``disc`` and ``flex`` belong to the disc below a level; angles in radians, flexion
    positive; ``side_mm`` shifts a body left-right (scoliosis), ``roll`` and ``yaw`` turn it.
    ``kyphosis_share`` is how much of a fracture's wedge the spine above follows. Where a spine
    ``keeps_length``, shifts sideways lower the bodies above; else they lie farther apart.
    """

    disc: np.ndarray
    flex: np.ndarray
    slip_mm: np.ndarray
    side_mm: np.ndarray
    roll: np.ndarray
    yaw: np.ndarray
    tilt: float
    kyphosis_share: float
    keeps_length: bool = False


def rim_plane(plate: Endplate, depth: float, share: float, fractured: bool) -> tuple[float, float]:
    """Return the rim's height over the body's middle (mm) and its slope (radians, dh/dv).

    The rim carries the disc: the spine above follows its mean height, and ``share`` of
    the slope a fracture adds.
    """
    mean = (plate.posterior + plate.anterior) / 2
    slope = (plate.anterior - plate.posterior) / depth
    if fractured and plate.collapse is not None:
        back, front = plate.collapse.posterior, plate.collapse.anterior
        middle = plate.collapse.middle
        mean -= 0.4 * (back + front) + 0.2 * middle
        slope -= share * (front - back) / depth
    return mean, float(np.arctan(slope))


def stack(bodies: tuple[Body, ...], posture: Posture, fractured: bool) -> tuple[Placement, ...]:
    """Stack bodies from the lowest up; height lost in a fracture brings down all above.

    Parameters
    ----------
    bodies : tuple of Body, cranial to caudal
    posture : Posture
    fractured : bool
        False stacks the healthy twin. Both start from the same lowest body.

    Returns
    -------
    tuple of Placement, cranial to caudal
    """
    places: list[Placement] = []
    angle = posture.tilt
    base = np.zeros(2)  # anterior, cranial
    share = posture.kyphosis_share
    for k in range(len(bodies) - 1, -1, -1):
        body = bodies[k]
        down, down_slope = rim_plane(body.lower, body.depth, share, fractured)
        up, up_slope = rim_plane(body.upper, body.depth, share, fractured)
        angle = angle + float(posture.flex[k]) / 2 - down_slope
        cranial = np.array([np.sin(angle), np.cos(angle)])
        center = base + cranial * (posture.disc[k] / 2 + down)
        center = center + posture.slip_mm[k] * np.array([np.cos(angle), -np.sin(angle)])
        places.append(_place(center, posture, k, angle))
        angle = angle - up_slope
        gap = posture.disc[k - 1] / 2 if k else 0.0
        cranial_above = np.array([np.sin(angle), np.cos(angle)])
        base = center + cranial * up + cranial_above * gap
        angle = angle + (float(posture.flex[k - 1]) / 2 if k else 0.0)
    upright = tuple(reversed(places))
    return _shortened(upright) if posture.keeps_length else upright


def _shortened(places: tuple[Placement, ...]) -> tuple[Placement, ...]:
    """Lower bodies so that those shifted sideways lie as far apart as if they were not."""
    centers = np.array([place.center for place in places])
    upward = centers[:-1] - centers[1:]
    upright = np.linalg.norm(upward[:, 1:], axis=1)
    share = np.clip(np.abs(upward[:, 0]) / np.maximum(upright, 1e-9), 0.0, 0.95)
    upward[:, 1:] *= np.sqrt(1.0 - share**2)[:, None]
    lifted = np.cumsum(np.r_[np.zeros((1, 3)), upward[::-1]], axis=0)[::-1] + centers[-1]
    return tuple(
        Placement(center, place.axes) for center, place in zip(lifted, places, strict=True)
    )


def _place(center: np.ndarray, posture: Posture, k: int, angle: float) -> Placement:
    roll, yaw = float(posture.roll[k]), float(posture.yaw[k])
    c, s = np.cos(angle), np.sin(angle)
    pitch = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    cr, sr, cy, sy = np.cos(roll), np.sin(roll), np.cos(yaw), np.sin(yaw)
    turn = np.array([[cr, 0, -sr], [0, 1, 0], [sr, 0, cr]])
    spin = np.array([[cy, sy, 0], [-sy, cy, 0], [0, 0, 1]])
    axes = spin @ turn @ pitch
    return Placement(np.array([posture.side_mm[k], center[0], center[1]]), axes)


def body_center(body: Body, place: Placement, fractured: bool) -> np.ndarray:
    """Return the centre of a body in RAS+ mm, halfway between its endplates."""
    t, lateral = np.array([0.3, 0.5, 0.7]), np.zeros(3)
    top, low = body.upper.healthy(t, lateral), body.lower.healthy(t, lateral)
    if fractured:
        top = top - body.upper.displacement(t, lateral)
        low = low - body.lower.displacement(t, lateral)
    return place.center + float((top - low).mean() / 2) * place.axes[2]


def level_index(name: str) -> int:
    """Return the place of a level in ``LEVEL_NAMES``."""
    return LEVEL_NAMES.index(name)
