"""Arms beside the trunk: seen where the field of view is wide, felt as streaks everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.canvas import Canvas, blend, cover

_CURVES = (200.0, 260.0)  # of the trunk's front and back in tissue._surface: side² / mm


@dataclass(frozen=True)
class Arms:
    """Both arms, lying along the trunk; lengths in mm, HU.

    Parameters
    ----------
    gap_mm : tuple of 2 floats
        Air between the trunk and the left and the right arm.
    radius_mm : float
    front_mm : float
        How far in front of the spine they lie.
    fat_mm : float
    soft_hu, fat_hu : float
    """

    gap_mm: tuple[float, float]
    radius_mm: float
    front_mm: float
    fat_mm: float
    soft_hu: float
    fat_hu: float


def draw_arms(rng: np.random.Generator, soft_hu: float, fat_hu: float) -> Arms:
    """Draw the arms of one person."""
    gap = rng.uniform(1, 25, 2)
    return Arms(
        gap_mm=(float(gap[0]), float(gap[1])),
        radius_mm=float(rng.uniform(36, 55)),
        front_mm=float(rng.uniform(-20, 50)),
        fat_mm=float(rng.uniform(3, 14)),
        soft_hu=soft_hu,
        fat_hu=fat_hu,
    )


def trunk_edge_mm(front_mm: np.ndarray | float, belly_mm: float, behind_mm: float) -> np.ndarray:
    """Return how far from the middle the trunk ends, ``front_mm`` before the spine.

    The front of the trunk bends back by side² / 200, the back bends forwards by side² / 260.

    Examples
    --------
    >>> float(trunk_edge_mm(0.0, 128.0, 65.0).round())
    157.0
    """
    behind = behind_mm + 30 + front_mm  # the vertebral body lies between front and back
    squared = np.minimum((belly_mm - front_mm) * _CURVES[0], behind * _CURVES[1])
    return np.sqrt(np.maximum(squared, 100.0))


def paint_arms(
    canvas: Canvas,
    arms: Arms,
    frame: tuple[np.ndarray, np.ndarray],
    trunk: tuple[float, float],
) -> None:
    """Paint both arms with the shafts of their bones.

    ``frame`` is the distance to the right and to the front of the spine (mm), ``trunk``
    the distances of belly and back from the front and the back of the spine.
    """
    side, front = frame
    edge = float(trunk_edge_mm(arms.front_mm, *trunk))
    far = edge + arms.radius_mm
    if float(np.abs(side).max()) < edge:
        return
    for sign, gap in zip((-1.0, 1.0), arms.gap_mm, strict=True):
        away = np.hypot(side - sign * (far + gap), front - arms.front_mm)
        rough = away + canvas.coarse
        blend(canvas.hu, cover(rough - arms.radius_mm, 1.5), arms.fat_hu)
        muscle = cover(rough - arms.radius_mm + arms.fat_mm, 1.5)
        blend(canvas.hu, muscle, arms.soft_hu + 8 * canvas.mid)
        blend(canvas.hu, cover(away - 11.5, 1.0), 1250.0)
        blend(canvas.hu, cover(away - 7.0, 1.0), -40.0)
