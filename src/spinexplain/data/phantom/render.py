"""Paints one person on any grid: surroundings, discs, arches, bodies, planted marks."""

from __future__ import annotations

import numpy as np

from spinexplain.data.phantom.arch import paint_arch
from spinexplain.data.phantom.bone import clear_evidence_of_neighbors, paint_body, paint_disc
from spinexplain.data.phantom.bridges import paint_bridges
from spinexplain.data.phantom.canvas import Canvas, blank_canvas
from spinexplain.data.phantom.draw import Subject
from spinexplain.data.phantom.grids import Grid
from spinexplain.data.phantom.hardware import paint_implants
from spinexplain.data.phantom.mark import paint_marks
from spinexplain.data.phantom.spine import Placement
from spinexplain.data.phantom.tissue import Surroundings, paint_surroundings


def render(
    grid: Grid,
    subject: Subject,
    places: tuple[Placement, ...],
    around: Surroundings,
    noise: np.random.SeedSequence,
    spared: frozenset[str],
) -> Canvas:
    """Paint one person on a grid; the fractures of ``spared`` levels are left out."""
    canvas = blank_canvas(np.random.default_rng(noise), grid, around.soft)
    paint_surroundings(canvas, around, subject.bodies, places)
    pairs = list(zip(subject.bodies, places, strict=True))
    for k in range(len(pairs) - 1):
        paint_disc(
            canvas, pairs[k], pairs[k + 1], float(around.disc_hu[k]), float(around.vacuum[k])
        )
    for k, (body, place) in enumerate(pairs):
        paint_arch(canvas, body, place, around.arch_vary[k])
    paint_bridges(canvas, subject.bridges, subject.bodies, places)
    for body, place in pairs:
        paint_body(canvas, body, place, body.name not in spared)
    clear_evidence_of_neighbors(canvas)
    paint_implants(canvas, subject.implants, subject.bodies, places)
    paint_marks(canvas, subject.marks, subject.bodies, places)
    return canvas
