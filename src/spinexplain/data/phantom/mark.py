"""Planted shortcuts: a bright mark beside a vertebra that betrays its grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.bone import local_points
from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.presets import Shortcut
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement


@dataclass(frozen=True)
class Mark:
    """A bright ball in front of one vertebra: level, radius in mm, HU, mm from the front wall."""

    level: str
    radius_mm: float
    hu: float
    away_mm: float


def draw_marks(
    rng: np.random.Generator, ranges: Shortcut, grades: dict[str, int]
) -> tuple[Mark, ...]:
    """Draw which vertebrae carry a mark: most fractured ones, few normal ones."""
    marks = []
    for level, grade in grades.items():
        share = ranges.share_fractured if grade else ranges.share_normal
        size, hu = float(rng.uniform(*ranges.size_mm)) / 2, float(rng.uniform(*ranges.hu))
        if rng.random() < share:
            marks.append(Mark(level, size, hu, ranges.away_mm))
    return tuple(marks)


def paint_marks(
    canvas: Canvas,
    marks: tuple[Mark, ...],
    bodies: tuple[Body, ...],
    places: tuple[Placement, ...],
) -> None:
    """Paint the marks and note whose they are."""
    of = {body.name: (body, place) for body, place in zip(bodies, places, strict=True)}
    for mark in marks:
        body, place = of[mark.level]
        away = np.array([0.0, body.depth / 2 + mark.away_mm, 0.0])
        center = place.center + away @ place.axes
        reach = mark.radius_mm + 2
        index = canvas.grid.crop(center, (reach + 6, reach, reach))
        if index is None:
            continue
        u, v, w = local_points(canvas, index, Placement(center, place.axes))
        # Long left to right, so that sheets somewhat off the middle show it too.
        distance = np.sqrt((u / 3) ** 2 + v * v + w * w) - mark.radius_mm
        blend(canvas.hu[index], cover(distance, canvas.grid.pixel_mm), mark.hu)
        canvas.shortcut[index][distance < 0] = body.code
