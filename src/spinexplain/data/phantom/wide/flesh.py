"""Paints skin, fat, muscle, lungs and the space of the belly around one spine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.grids import AffineGrid, Index
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement
from spinexplain.data.phantom.tissue import (
    SpineFrame,
    Surroundings,
    paint_canal,
    paint_stripe,
    spine_frame,
)
from spinexplain.data.phantom.wide.outline import Outline, rounded

_SLAB_POINTS = 200_000
_NEAR_MM = 4.0
_COLUMN_MM = (34.0, 58.0, 8.0)  # around the centers of the bodies


@dataclass(frozen=True)
class Chest:
    """What the chest holds; mm, HU.

    Parameters
    ----------
    middle_mm : float
        Half width of what lies between the lungs.
    effusion_mm : float
        How high fluid stands above the back of the lungs; negative for none.
    effusion_hu : float
    dome_mm : float
        How far the diaphragm's domes stand over its edge.
    sheets_mm : float
        Half thickness of the fat between muscles.
    """

    middle_mm: float
    effusion_mm: float
    effusion_hu: float
    dome_mm: float
    sheets_mm: float


def draw_chest(rng: np.random.Generator) -> Chest:
    """Draw one chest."""
    fluid = rng.random() < 0.15
    return Chest(
        middle_mm=float(rng.uniform(20, 38)),
        effusion_mm=float(rng.uniform(8, 60)) if fluid else -1.0,
        effusion_hu=float(rng.uniform(0, 35)),
        dome_mm=float(rng.uniform(20, 50)),
        sheets_mm=float(rng.choice([0.0, rng.uniform(0.2, 1.6)], p=[0.35, 0.65])),
    )


def slabs(canvas: Canvas) -> Iterator[tuple[Index, Canvas]]:
    """Yield a canvas slice by slice of its longest axis: the same memory, less at a time."""
    shape = canvas.hu.shape
    axis = int(np.argmax(shape))
    thick = max(int(_SLAB_POINTS * shape[axis] / canvas.hu.size), 1)
    for start in range(0, shape[axis], thick):
        cut = [slice(None)] * 3
        cut[axis] = slice(start, min(start + thick, shape[axis]))
        yield tuple(cut), _part(canvas, tuple(cut))


def _part(canvas: Canvas, index: Index) -> Canvas:
    grid = canvas.grid
    assert isinstance(grid, AffineGrid)
    x, y, z = grid.at(index)
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start or 0 for part in index]
    names = ("hu", "label", "body", "evidence", "fine", "coarse", "mid")
    fields = {name: getattr(canvas, name)[index] for name in names}
    return replace(canvas, grid=replace(grid, x=x, y=y, z=z, affine=affine), **fields)


def paint_inside(
    canvas: Canvas,
    around: Surroundings,
    chest: Chest,
    outline: Outline,
    spine: tuple[tuple[Body, ...], tuple[Placement, ...]],
) -> None:
    """Paint what fills the body: muscle, the space of the belly, lungs; then organs follow."""
    for _, part in slabs(canvas):
        frame = spine_frame(part, *spine)
        _muscle(part, around, chest, frame)
        inner = _depth(part, outline, cavity=True)
        if float(inner.min()) < _NEAR_MM:
            _belly(part, around, frame, inner)
            _lungs(part, around, chest, outline, frame, inner)


def paint_skin(canvas: Canvas, around: Surroundings, outline: Outline) -> None:
    """Paint fat under the skin, the skin, and the air around it."""
    for _, part in slabs(canvas):
        _surface(part, around, outline, _depth(part, outline, cavity=False))


def paint_canal_column(
    canvas: Canvas, around: Surroundings, spine: tuple[tuple[Body, ...], tuple[Placement, ...]]
) -> None:
    """Paint the canal and the ligament in front of the bodies, from C2 to S3."""
    centers = np.array([place.center for place in spine[1]])
    low, high = centers.min(axis=0), centers.max(axis=0)
    reach = (high - low) / 2 + np.array(_COLUMN_MM)
    index = canvas.grid.crop((low + high) / 2, (float(reach[0]), float(reach[1]), float(reach[2])))
    if index is None:
        return
    for _, part in slabs(_part(canvas, index)):
        frame = spine_frame(part, *spine)
        paint_stripe(part, around, frame)
        paint_canal(part, around, frame)


def _depth(canvas: Canvas, outline: Outline, cavity: bool) -> np.ndarray:
    """Return the signed distance (mm) to skin or cavity, inside < 0, first order."""
    x, y, half, deep = outline.radii(canvas.grid.z, cavity)
    a, b = np.abs(canvas.grid.x - x) / half, np.abs(canvas.grid.y - y) / deep
    return (rounded(a, b) - 1) * np.minimum(half, deep)


def _muscle(canvas: Canvas, s: Surroundings, chest: Chest, f: SpineFrame) -> None:
    canvas.hu[...] = s.soft + 7 * canvas.coarse + 6 * canvas.mid
    streaks = canvas.coarse + 0.7 * canvas.mid + 0.3 * canvas.fine
    share = np.clip((streaks - 1.9 + 0.8 * s.muscle_fat) / 0.8, 0, 1) * (f.p > -30)
    if chest.sheets_mm:
        # Fat between muscles lies in thin sheets: where the coarse texture changes its sign.
        sheets = cover(np.abs(canvas.coarse) * 9 - chest.sheets_mm, canvas.grid.pixel_mm)
        share = np.maximum(share, 0.8 * sheets)
    blend(canvas.hu, share, s.fat)


def _belly(canvas: Canvas, s: Surroundings, f: SpineFrame, inner: np.ndarray) -> None:
    share = np.clip((canvas.coarse + 0.5 * canvas.mid + s.visceral_fat + 1.2) / 0.5, 0, 1)
    behind = cover(f.p + 8 - 0.25 * np.abs(f.side), 4.0)
    blend(canvas.hu, share * cover(inner, 3.0) * behind, s.fat + 16 * canvas.mid)


def _lungs(
    canvas: Canvas,
    s: Surroundings,
    chest: Chest,
    outline: Outline,
    f: SpineFrame,
    inner: np.ndarray,
) -> None:
    deep = np.clip(1 + inner / 60, 0, 1)  # 1 at the wall
    floor = outline.diaphragm_z + chest.dome_mm - (chest.dome_mm + 50) * deep * deep
    above = cover(floor - f.z + 3 * canvas.coarse, 4.0)
    if not above.any():
        return
    edge = 3.0 * canvas.coarse
    gap, width = s.recess_mm
    beside = 25.0 + edge  # the bodies; behind them lungs reach around
    half = beside + (chest.middle_mm - 20) * cover(gap - f.a, 6.0)
    if s.lung_midline:
        half = half - 38.0 * cover(gap - f.a + edge, 5.0) * cover(f.a - gap - width + edge, 5.0)
    behind = np.clip(f.p - 4.0, 0, None) * 0.9
    lateral = half + behind - np.abs(f.side)
    share = above * cover(lateral, 1.5) * cover(inner + 3 + edge / 2, 1.5)
    blend(canvas.hu, share, s.lung + 40 * canvas.coarse + 35 * canvas.fine)
    if chest.effusion_mm > 0:
        low = canvas.grid.y - (f.back_y - 25 + chest.effusion_mm)
        blend(canvas.hu, share * cover(low + 2 * edge, 2.0), chest.effusion_hu + 5 * canvas.mid)


def _surface(canvas: Canvas, s: Surroundings, outline: Outline, skin: np.ndarray) -> None:
    fat = np.interp(canvas.grid.z, outline.z, outline.fat_mm).astype(np.float32)
    rough = skin + 2.5 * canvas.coarse
    blend(canvas.hu, cover(-(rough + fat), 2.0), s.fat + 10 * canvas.mid)
    blend(canvas.hu, cover(-(skin + s.skin_mm), 1.0), s.soft)
    blend(canvas.hu, cover(-skin, canvas.grid.pixel_mm), -1000.0)
