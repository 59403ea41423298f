"""Crops to train the body network on: phantom persons, scanned coarsely, cut out obliquely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.canvas import Canvas
from spinexplain.data.phantom.draw import Subject, draw_subject
from spinexplain.data.phantom.field import block_mean
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.render import render
from spinexplain.data.phantom.scan import draw_scan_grades
from spinexplain.data.phantom.scanner import draw_acquisition, scan_volume
from spinexplain.data.phantom.spine import Placement, body_center, stack
from spinexplain.data.phantom.tissue import draw_surroundings
from spinexplain.geometry import BoxFrame, box_axes, fit_curve
from spinexplain.localizer.body_frame import BODY_SHAPE, BODY_STEP_MM
from spinexplain.spine.resample import resample_affine
from spinexplain.spine.sampling import box_to_voxel, sample_volume
from spinexplain.types import Volume

_STEP_MM = 1.0
_LEVELS = 7  # in view, of which the inner ones are cropped
_MARGINS_MM = np.array([[44.0, 66.0, 30.0], [44.0, 44.0, 30.0]])  # right, posterior, caudal; ..
_OVER = np.array([(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 1, 1), (3, 1, 1), (2, 2, 2), (3, 3, 3)])
_HOW_OFTEN = np.array([0.4, 0.15, 0.13, 0.06, 0.06, 0.1, 0.1])
_TURN_DEG = np.array([5.0, 6.0, 5.0])
_SHIFT_MM = np.array([2.2, 2.0, 2.0])
_SCALE = 0.07


@dataclass(frozen=True, eq=False)
class BodyCrop:
    """One training crop.

    Parameters
    ----------
    hu : ndarray of int16, shape (40, 48, 48)
        Axes caudal, posterior, left.
    own, others : ndarray of uint8, same shape
        Share of each sample inside the body at the center, and inside other bodies; 255 is all.
    """

    hu: np.ndarray
    own: np.ndarray
    others: np.ndarray


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A person on a fine grid: low corner (mm), tissue and the number of the body at each point."""

    low_mm: np.ndarray
    canvas: Canvas
    subject: Subject
    places: tuple[Placement, ...]
    inside: range


def body_crops(preset: str | Preset, seed: int, index: int, per_body: int = 2) -> list[BodyCrop]:
    """Draw one person and cut out its bodies, each ``per_body`` times.

    Parameters
    ----------
    preset : str or Preset
    seed, index : int
        A person is the same whatever else is drawn.
    per_body : int

    Returns
    -------
    list of BodyCrop
        The frame follows the curve through the centers, as it will in a scan, and is turned,
        shifted and scaled by random errors.
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    anatomy, around, scan, frames = np.random.SeedSequence(seed, spawn_key=(2, index)).spawn(4)
    drawn = _draw(chosen, anatomy, around)
    rng = np.random.default_rng(frames)
    made = []
    for key in scan.spawn(per_body):
        volume = _scanned(drawn, chosen, np.random.default_rng(key))
        made += [_cut(drawn, volume, k, frame) for k, frame in _frames(drawn, rng)]
    return made


def _draw(
    preset: Preset, anatomy: np.random.SeedSequence, tissue: np.random.SeedSequence
) -> _Drawn:
    rng = np.random.default_rng(anatomy)
    subject = draw_subject(rng, preset, draw_scan_grades(rng, preset))
    # Numbers instead of labels: the sacrum counts as another body.
    bodies = tuple(replace(body, code=k + 1) for k, body in enumerate(subject.bodies))
    subject = replace(subject, bodies=bodies, marks=())
    places = stack(bodies, subject.posture, fractured=True)
    first = int(rng.integers(subject.names.index("T1"), len(bodies) - _LEVELS))
    inside = range(first, first + _LEVELS)
    centers = np.array([body_center(bodies[k], places[k], True) for k in inside])
    low = centers.min(axis=0) - _MARGINS_MM[0]
    counts = np.ceil((centers.max(axis=0) + _MARGINS_MM[1] - low) / _STEP_MM / 6).astype(int) * 6
    lines = [start + _STEP_MM * np.arange(n) for start, n in zip(low, counts, strict=True)]
    key, noise = tissue.spawn(2)
    around = draw_surroundings(np.random.default_rng(key), preset.around, places, subject.names)
    grid = box_grid(lines[0], lines[1], lines[2], _STEP_MM)
    canvas = render(grid, subject, places, replace(around, rounded=True), noise, frozenset())
    return _Drawn(low, canvas, subject, places, inside)


def _scanned(drawn: _Drawn, preset: Preset, rng: np.random.Generator) -> Volume:
    over = _OVER[rng.choice(len(_OVER), p=_HOW_OFTEN)]
    spacing = over * _STEP_MM
    tissue = block_mean(drawn.canvas.hu, (int(over[0]), int(over[1]), int(over[2])))
    how = draw_acquisition(rng, preset.scanner)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = drawn.low_mm + (spacing - _STEP_MM) / 2
    return Volume(scan_volume(tissue, how, tuple(spacing)), affine)


def _frames(drawn: _Drawn, rng: np.random.Generator) -> Iterator[tuple[int, BoxFrame]]:
    """Lay a box about each thoracic and lumbar body, as far off as a localizer may be."""
    bodies, places = drawn.subject.bodies, drawn.places
    found = np.array([body_center(bodies[k], places[k], True) for k in drawn.inside])
    found = found + rng.normal(size=found.shape) * _SHIFT_MM[[2, 1, 0]]
    curve = fit_curve(found, np.array([0.0, 0.0, -1.0]))
    for k, center, s_mm in zip(drawn.inside, found, curve.knots_s_mm, strict=True):
        if bodies[k].name[0] not in "TL":
            continue
        axes = _turned(box_axes(curve.tangent(float(s_mm))), rng)
        step = BODY_STEP_MM * float(np.exp(rng.normal(0, _SCALE)))
        yield k, BoxFrame(center, axes, BODY_SHAPE, step)


def _turned(axes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    for axis, angle in enumerate(np.radians(rng.normal(0.0, _TURN_DEG))):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        axes = turn @ axes
    return axes


def _cut(drawn: _Drawn, volume: Volume, number: int, frame: BoxFrame) -> BodyCrop:
    hu, _ = sample_volume(volume, frame)
    fine = np.diag([_STEP_MM] * 3 + [1.0])
    fine[:3, 3] = drawn.low_mm
    matrix, offset = box_to_voxel(frame, fine)
    painted = drawn.canvas.body
    masks = [painted == number + 1, (painted > 0) & (painted != number + 1)]
    own, others = (
        resample_affine(mask.astype(np.float32), matrix, offset, frame.shape, 0.0)[0]
        for mask in masks
    )
    return BodyCrop(
        np.clip(np.rint(hu), -1024, 3071).astype(np.int16),
        np.rint(own * 255).astype(np.uint8),
        np.rint(others * 255).astype(np.uint8),
    )
