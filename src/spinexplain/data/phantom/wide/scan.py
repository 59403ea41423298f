"""Scans of wide fields of view, with the truth about every level: on any grid, coarse or fine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.phantom.arch import arch_struts, paint_struts
from spinexplain.data.phantom.bone import clear_evidence_of_neighbors, paint_body, paint_disc
from spinexplain.data.phantom.bridges import paint_bridges
from spinexplain.data.phantom.canvas import Canvas, coarse_grain, grain
from spinexplain.data.phantom.field import block_mean, block_pick
from spinexplain.data.phantom.grids import Grid, affine_grid
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.scanner import AIR_HU, Acquisition, draw_acquisition
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.wide.artifacts import (
    metal_artifacts,
    scan_large,
    thick_slices,
)
from spinexplain.data.phantom.wide.field import WideField, draw_wide_field, whole_field
from spinexplain.data.phantom.wide.flesh import paint_canal_column, paint_inside, paint_skin
from spinexplain.data.phantom.wide.person import WidePerson, draw_wide_person
from spinexplain.data.phantom.wide.solids import paint_solid
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap, Volume

SACRUM = 26
"""Label of the sacral bodies, as in VerSe."""

_NATIVE_MM = 1.0  # noise is drawn for voxels of this size; larger ones average it
_TILE = 80  # voxels
# From which share in view a landmark counts as seen.
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
        The same for bodies with their arches.
    evidence : LabelMap of uint8
        VerSe label of a fractured vertebra where its evidence lies.
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
    evidence: LabelMap
    centers_mm: dict[str, np.ndarray]
    axes: dict[str, np.ndarray]
    in_view: dict[str, float]
    landmarks: tuple[str, ...]
    person: WidePerson
    acquisition: Acquisition


def wide_scan(preset: str | Preset, seed: int, index: int, spacing_mm: float = 2.0) -> WideScan:
    """Draw one person and scan all of the trunk, from the skull base to the hips.

    The bodies' centers lie in the body mask wherever a body is in view.

    Parameters
    ----------
    preset : str or Preset
    seed, index : int
    spacing_mm : float
        Of cubic voxels. At 2 mm and more, a scan takes seconds.

    Returns
    -------
    WideScan
        Axes right, anterior, superior.
    """
    person = draw_wide_person(preset, seed, index)
    affine, shape = whole_field(person, spacing_mm)
    return scan_person(person, affine, shape)


def wide_subject(preset: str | Preset, seed: int, index: int) -> tuple[WideScan, WideField]:
    """Draw one person and scan a drawn part of it on a drawn grid, as archives hold them.

    The scan's arrays are in the axis order of the field.
    """
    person = draw_wide_person(preset, seed, index)
    field = draw_wide_field(_stream(person, 3), person)
    scan = scan_person(person, field.affine, field.shape, field.oversample)
    hu = scan.volume.array
    if field.round_mm:
        _round(hu, field)

    def mask(label_map: LabelMap) -> LabelMap:
        return LabelMap(*field.oriented(label_map.array))

    turned = replace(
        scan,
        volume=Volume(*field.oriented(hu)),
        body=mask(scan.body),
        labels=mask(scan.labels),
        evidence=mask(scan.evidence),
    )
    return turned, field


def _round(hu: np.ndarray, field: WideField) -> None:
    x, y = (
        (np.arange(n) - (n - 1) / 2) * np.linalg.norm(field.affine[:3, k])
        for k, n in enumerate(field.shape[:2])
    )
    hu[np.hypot(x[:, None], y[None, :]) > field.round_mm] = int(AIR_HU)


def scan_person(
    person: WidePerson,
    affine: np.ndarray,
    shape: tuple[int, int, int],
    oversample: tuple[int, int, int] = (1, 1, 1),
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
    oversample : tuple of 3 ints
        Painted samples for each voxel, odd; for slices much thicker than their pixels.
    how : Acquisition, optional
        Drawn from the person's preset by default.
    """
    how = how or draw_acquisition(_stream(person, 0), person.preset.scanner)
    canvas = paint_person(person, *_finer(affine, shape, oversample))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    rng = _stream(person, 1)
    hu = block_mean(canvas.hu, oversample)
    metal_artifacts(rng, hu)
    hu = scan_large(rng, hu, _averaged(how, float(np.prod(spacing) ** (1 / 3))), spacing)
    if max(oversample) == 1:
        hu = thick_slices(rng, hu, spacing, person.preset.wide)
    in_view = _in_view(person, affine, shape)

    def mask(fine: np.ndarray) -> LabelMap:
        return LabelMap(block_pick(fine, oversample), affine)

    return WideScan(
        volume=Volume(hu, affine),
        body=mask(canvas.body),
        labels=mask(canvas.label),
        evidence=mask(canvas.evidence),
        centers_mm=person.centers_mm,
        axes=person.axes,
        in_view=in_view,
        landmarks=_landmarks(person, in_view, affine, shape),
        person=person,
        acquisition=how,
    )


def _finer(
    affine: np.ndarray, shape: tuple[int, int, int], over: tuple[int, int, int]
) -> tuple[np.ndarray, tuple[int, int, int]]:
    fine = affine.copy()
    fine[:3, :3] = affine[:3, :3] / np.array(over)
    fine[:3, 3] -= fine[:3, :3] @ ((np.array(over) - 1) / 2)
    x, y, z = (n * k for n, k in zip(shape, over, strict=True))
    return fine, (x, y, z)


def paint_person(person: WidePerson, affine: np.ndarray, shape: tuple[int, int, int]) -> Canvas:
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
    clear_evidence_of_neighbors(canvas)
    for construct in person.constructs:
        for solid in construct.solids:
            paint_solid(canvas, solid)
    return canvas


def _tiled_canvas(rng: np.random.Generator, grid: Grid, soft_hu: float) -> Canvas:
    """Return an empty canvas; the finer textures repeat, which saves a third of the time."""
    shape = grid.shape
    small = min(max(shape), _TILE)
    times = [-(-n // small) for n in shape]
    whole = tuple(slice(n) for n in shape)

    def tiled(sigma: float) -> np.ndarray:
        return np.tile(grain(rng, (small,) * 3, sigma), times)[whole]

    return Canvas(
        grid=grid,
        hu=np.full(shape, soft_hu, np.float32),
        label=np.zeros(shape, np.uint8),
        body=np.zeros(shape, np.uint8),
        evidence=np.zeros(shape, np.uint8),
        shortcut=np.zeros((1, 1, 1), np.uint8),
        fine=tiled(0.7),
        coarse=coarse_grain(rng, shape, 8.0 / grid.pixel_mm),
        mid=tiled(3.0 / grid.pixel_mm),
    )


def share_in_view(
    center_mm: np.ndarray,
    axes: np.ndarray,
    half_mm: np.ndarray,
    affine: np.ndarray,
    shape: tuple[int, int, int],
) -> float:
    """Return the share of a body's box that lies inside a grid, sampled at 5 x 5 x 5 points.

    Parameters
    ----------
    center_mm : ndarray, shape (3,)
        RAS+.
    axes : ndarray, shape (3, 3)
        Rows right, anterior, cranial of the body's frame.
    half_mm : ndarray, shape (3,)
        Half of the box along these axes.
    affine : ndarray, shape (4, 4)
        Of the grid: voxel index to RAS+ mm.
    shape : tuple of 3 ints

    Examples
    --------
    >>> share_in_view(np.zeros(3), np.eye(3), np.ones(3), np.eye(4), (9, 9, 9))
    0.512
    """
    line = np.linspace(-0.9, 0.9, 5)
    points = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    at = apply_affine(np.linalg.inv(affine), center_mm + points * half_mm @ axes)
    inside = (at > -0.5) & (at < np.array(shape) - 0.5)
    return float(np.round(inside.all(axis=1).mean(), 3))


def _in_view(
    person: WidePerson, affine: np.ndarray, shape: tuple[int, int, int]
) -> dict[str, float]:
    bodies = {body.name: body for body in person.subject.bodies}
    seen = {}
    for name, center in person.centers_mm.items():
        half = _half_mm(bodies.get(name), person.marks.size)
        axes = person.axes.get(name, np.eye(3))
        seen[name] = share_in_view(center, axes, half, affine, shape)
    return seen


def _half_mm(body: Body | None, size: float) -> np.ndarray:
    if body is None:  # C1
        return np.array([9.0, 6.0, 5.0]) * size
    tall = (body.upper.posterior + body.upper.anterior) / 2
    return np.array([body.width / 2, body.depth / 2, tall])


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
