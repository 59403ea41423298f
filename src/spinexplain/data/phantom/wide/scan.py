"""Scans of wide fields of view, with the truth about every level: on any grid, coarse or fine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.arch import arch_struts, paint_struts
from spinexplain.data.phantom.bone import paint_body, paint_disc
from spinexplain.data.phantom.bridges import paint_bridges
from spinexplain.data.phantom.canvas import Canvas, coarse_grain, grain
from spinexplain.data.phantom.grids import Grid, affine_grid
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.scanner import Acquisition, draw_acquisition
from spinexplain.data.phantom.wide.artifacts import (
    metal_artifacts,
    scan_large,
    thick_slices,
)
from spinexplain.data.phantom.wide.flesh import paint_canal_column, paint_inside, paint_skin
from spinexplain.data.phantom.wide.person import WidePerson, draw_wide_person
from spinexplain.data.phantom.wide.solids import paint_solid
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap, Volume

SACRUM = 26
"""Label of the sacral bodies, as in VerSe."""

_NATIVE_MM = 1.0  # noise is drawn for voxels of this size; larger ones average it
_TILE = 80  # voxels
_WHOLE = {"sacrum": 0.9, "first rib": 0.9, "skull base": 0.6}


@dataclass(frozen=True, eq=False)
class WideScan:
    """One scan of one person.

    Parameters
    ----------
    volume : Volume of int16, HU
    body : LabelMap of uint8
        VerSe labels of the bodies in view, whole or cut; 26 for the sacral ones.
    labels : LabelMap of uint8
        The same for bodies with their arches, C2 to L6.
    centers_mm : dict
        Level name, C1 to S3, to the center of its body, RAS+ mm: in view or not.
    axes : dict
        Level name, C2 to S3, to the rows right, anterior, cranial of its frame.
    in_view : dict
        Level name to the share of its body that the grid holds, 0 to 1.
    landmarks : tuple of str
        Which of ``"sacrum"``, ``"first rib"``, ``"skull base"`` the grid holds.
    person : WidePerson
    acquisition : Acquisition
    """

    volume: Volume
    body: LabelMap
    labels: LabelMap
    centers_mm: dict[str, np.ndarray]
    axes: dict[str, np.ndarray]
    in_view: dict[str, float]
    landmarks: tuple[str, ...]
    person: WidePerson
    acquisition: Acquisition


def wide_scan(
    preset: str | Preset, seed: int, index: int, spacing_mm: float = 2.0
) -> WideScan:
    """Draw one person and scan all of the trunk, from the skull base to the hips.

    Parameters
    ----------
    preset : str or Preset
    seed, index : int
    spacing_mm : float
        Of cubic voxels. At 2 mm and more, a scan takes seconds.
    """
    person = draw_wide_person(preset, seed, index)
    affine, shape = whole_field(person, spacing_mm)
    return scan_person(person, affine, shape)


def whole_field(
    person: WidePerson, spacing_mm: float, half_width_mm: float | None = None
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return affine and shape of the upright grid that holds all of a person's trunk.

    ``half_width_mm`` narrows it to so much on either side of the spine: ribs and hips still
    show at 100 mm, at half the cost.
    """
    outline = person.outline
    low = np.array(
        [
            (outline.x - outline.skin[:, 0]).min() - 20,
            outline.skin[3:-3, 2].min() - 30,
            person.marks.point(17, 0, 0, -125)[2],
        ]
    )
    high = np.array(
        [
            (outline.x + outline.skin[:, 0]).max() + 20,
            outline.skin[:, 1].max() + 12,
            person.centers_mm["C1"][2] + 45,
        ]
    )
    if half_width_mm is not None:
        sides = [center[0] for center in person.centers_mm.values()]
        low[0], high[0] = min(sides) - half_width_mm, max(sides) + half_width_mm
    middle, half = (low + high) / 2, np.minimum((high - low) / 2, [235.0, 200.0, 600.0])
    n = np.maximum(np.round(2 * half / spacing_mm).astype(int), 8)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = middle - (n - 1) / 2 * spacing_mm
    return affine, (int(n[0]), int(n[1]), int(n[2]))


def scan_person(
    person: WidePerson,
    affine: np.ndarray,
    shape: tuple[int, int, int],
    how: Acquisition | None = None,
) -> WideScan:
    """Scan one person on any grid: coarse, oblique, a small box around one body.

    The same person, grid and acquisition give the same bits.

    Parameters
    ----------
    person : WidePerson
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm.
    shape : tuple of 3 ints
    how : Acquisition, optional
        Drawn from the person's preset by default.
    """
    how = how or draw_acquisition(_stream(person, 0), person.preset.scanner)
    canvas = paint_person(person, affine, shape)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    rng = _stream(person, 1)
    metal_artifacts(rng, canvas.hu)
    hu = scan_large(rng, canvas.hu, _averaged(how, float(spacing.min())), spacing)
    hu = thick_slices(rng, hu, spacing, person.preset.wide)
    in_view = {
        name: share_in_view(center, person.axes.get(name, np.eye(3)), _half(person, name), affine, shape)
        for name, center in person.centers_mm.items()
    }
    return WideScan(
        volume=Volume(hu, affine),
        body=LabelMap(canvas.body, affine),
        labels=LabelMap(canvas.label, affine),
        centers_mm=person.centers_mm,
        axes=person.axes,
        in_view=in_view,
        landmarks=_landmarks(person, in_view, affine, shape),
        person=person,
        acquisition=how,
    )


def paint_person(
    person: WidePerson, affine: np.ndarray, shape: tuple[int, int, int]
) -> Canvas:
    """Paint one person on a grid: the tissue, before any scanner."""
    grid = affine_grid(affine, shape)
    canvas = _tiled_canvas(_stream(person, 2), grid, person.around.soft)
    subject, places, around = person.subject, person.places, person.around
    pairs = list(zip(subject.bodies, places, strict=True))
    paint_inside(canvas, around, person.chest, person.outline, (subject.bodies, places))
    for solid in person.before:
        paint_solid(canvas, solid)
    paint_canal_column(canvas, around, (subject.bodies, places))
    paint_skin(canvas, around, person.outline)
    for solid in person.after:
        paint_solid(canvas, solid)
    for k in range(len(pairs) - 1):
        paint_disc(
            canvas, pairs[k], pairs[k + 1], float(around.disc_hu[k]), float(around.vacuum[k])
        )
    for k, (body, place) in enumerate(pairs):
        struts = arch_struts(body, around.arch_vary[k])
        paint_struts(canvas, body, place, struts, body.code)
    paint_bridges(canvas, subject.bridges, subject.bodies, places)
    for body, place in pairs:
        coded = replace(body, code=body.code or SACRUM)
        paint_body(canvas, coded, place, True)
    for construct in person.constructs:
        for solid in construct.solids:
            paint_solid(canvas, solid)
    return canvas


def _tiled_canvas(rng: np.random.Generator, grid: Grid, soft_hu: float) -> Canvas:
    """Return an empty canvas; the finest texture repeats, which saves half of a scan's time."""
    shape = grid.shape
    small = min(max(shape), _TILE)
    tile = grain(rng, (small, small, small), 0.7)
    times = [-(-n // small) for n in shape]
    fine = np.tile(tile, times)[tuple(slice(n) for n in shape)]
    return Canvas(
        grid=grid,
        hu=np.full(shape, soft_hu, np.float32),
        label=np.zeros(shape, np.uint8),
        body=np.zeros(shape, np.uint8),
        evidence=np.zeros(shape, np.uint8),
        shortcut=np.zeros((1, 1, 1), np.uint8),
        fine=fine,
        coarse=coarse_grain(rng, shape, 8.0 / grid.pixel_mm),
        mid=coarse_grain(rng, shape, 3.0 / grid.pixel_mm),
    )


def share_in_view(
    center_mm: np.ndarray,
    axes: np.ndarray,
    half_mm: np.ndarray,
    affine: np.ndarray,
    shape: tuple[int, int, int],
) -> float:
    """Return the share of a body's box that lies inside a grid, sampled at 5 x 5 x 5 points.

    Examples
    --------
    >>> share_in_view(np.zeros(3), np.eye(3), np.ones(3), np.eye(4), (9, 9, 9))
    0.216
    """
    line = np.linspace(-0.9, 0.9, 5)
    points = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    at = apply_affine(np.linalg.inv(affine), center_mm + points * half_mm @ axes)
    inside = (at > -0.5) & (at < np.array(shape) - 0.5)
    return float(np.round(inside.all(axis=1).mean(), 3))


def _half(person: WidePerson, name: str) -> np.ndarray:
    for body in person.subject.bodies:
        if body.name == name:
            tall = (body.upper.posterior + body.upper.anterior) / 2
            return np.array([body.width / 2, body.depth / 2, tall])
    return np.array([9.0, 6.0, 5.0]) * person.marks.size  # C1


def _landmarks(
    person: WidePerson,
    in_view: dict[str, float],
    affine: np.ndarray,
    shape: tuple[int, int, int],
) -> tuple[str, ...]:
    size = person.marks.size
    beside = [
        share_in_view(
            person.centers_mm["T1"] + np.array([side * 40.0 * size, 0, 0]),
            np.eye(3),
            np.array([8.0, 8.0, 8.0]),
            affine,
            shape,
        )
        for side in (-1.0, 1.0)
    ]
    seen = {
        "sacrum": min(in_view["S1"], in_view["S2"]),
        "first rib": max(beside) if "T1" in person.ribs else 0.0,
        "skull base": in_view["C1"],
    }
    return tuple(name for name, share in seen.items() if share >= _WHOLE[name])


def _averaged(how: Acquisition, step_mm: float) -> Acquisition:
    """Return the acquisition with the noise that is left in larger voxels."""
    return replace(how, noise_hu=how.noise_hu * min(1.0, _NATIVE_MM / step_mm))


def _stream(person: WidePerson, k: int) -> np.random.Generator:
    seed = person.noise
    own = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k))
    return np.random.default_rng(own)
