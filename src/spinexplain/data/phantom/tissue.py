"""Everything around the bone: canal, muscle, fat, vessels, lungs, bowel, skin, air, table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, norms_of
from spinexplain.data.phantom.arms import Arms, paint_arms, trunk_edge_mm
from spinexplain.data.phantom.canvas import Canvas, blend, cover
from spinexplain.data.phantom.presets import Around
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement


@dataclass(frozen=True, eq=False)
class Blob:
    """An ellipsoid organ: offsets from the front of the spine, half axes (mm), HU, wall HU."""

    side: float
    front: float
    z: float
    half: tuple[float, float, float]
    hu: float
    wall_hu: float


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Drawn tissue around one spine; densities in HU, lengths in mm."""

    soft: float
    fat: float
    lung: float
    muscle_fat: float
    sac: float
    sac_share: float
    cord: float
    stripe_mm: float
    diaphragm_z: float
    lung_midline: bool
    recess_mm: tuple[float, float]
    vessel: tuple[float, float, float, float, float]  # gap, radius, side, HU, calcified
    vessel_course: tuple[float, float, float]  # side slope, front slope, z of reference
    visceral_fat: float
    airway: tuple[float, float, float]  # gap, radius, HU
    blobs: tuple[Blob, ...]
    skin_mm: float
    fat_layer_mm: float
    table: tuple[float, float, float]  # gap, thickness, HU
    disc_hu: np.ndarray
    vacuum: np.ndarray
    arch_vary: np.ndarray
    belly_mm: float
    arms: Arms | None = None
    rounded: bool = False  # lungs follow the trunk and the dome of the diaphragm


def draw_surroundings(
    rng: np.random.Generator,
    ranges: Around,
    placements: tuple[Placement, ...],
    names: tuple[str, ...] = LEVEL_NAMES,
) -> Surroundings:
    """Draw the tissue around one spine of the given levels."""
    z = np.array([p.center[2] for p in placements])
    n = len(placements)
    sac = (
        rng.uniform(120, 600) if rng.random() < ranges.myelography else rng.uniform(*ranges.sac_hu)
    )
    at = rng.uniform(names.index("T9"), names.index("L1"))
    airway = rng.choice([-980.0, -950.0, 30.0])
    return Surroundings(
        soft=float(rng.uniform(*ranges.soft_hu)),
        fat=float(rng.uniform(*ranges.fat_hu)),
        lung=float(rng.uniform(*ranges.lung_hu)),
        muscle_fat=float(rng.uniform(-0.8, 1.6)),
        sac=float(sac),
        sac_share=float(rng.uniform(0.6, 1.0)),
        cord=float(rng.uniform(5, 25)),
        stripe_mm=float(rng.choice([0.0, rng.uniform(0.5, 5.0)])),
        diaphragm_z=float(np.interp(at, np.arange(n), z)),
        lung_midline=bool(rng.random() < ranges.lung_midline),
        recess_mm=(float(rng.uniform(0.0, 22)), float(rng.uniform(8, 60))),
        vessel=(
            float(rng.uniform(0.5, 9)),
            float(rng.uniform(5, 15)),
            float(
                rng.normal(-2, 6) if rng.random() < ranges.vessel_midline else rng.normal(-14, 12)
            ),
            float(rng.uniform(*ranges.vessel_hu)),
            float(rng.uniform(400, 1200)) if rng.random() < ranges.vessel_calcified else 0.0,
        ),
        vessel_course=(
            float(rng.normal(0, 0.12)),
            float(rng.normal(0, 0.07)),
            float(rng.choice(z)),
        ),
        visceral_fat=float(rng.uniform(-1.5, 1.5)),
        airway=(float(rng.uniform(2, 26)), float(rng.uniform(3, 9)), float(airway)),
        blobs=_draw_blobs(rng, ranges, z, names),
        skin_mm=float(rng.uniform(1.0, 2.5)),
        fat_layer_mm=float(rng.uniform(2, 45)),
        table=(
            float(rng.uniform(0, 15)),
            float(rng.uniform(3, 30)),
            float(rng.uniform(-900, 150)) if rng.random() < ranges.table else -1000.0,
        ),
        disc_hu=rng.uniform(60, 125) + rng.normal(0, 10, n),
        vacuum=np.where(rng.random(n) < ranges.vacuum, rng.uniform(-400, -50, n), 0.0),
        arch_vary=1 + 0.1 * rng.standard_normal((n, 5)),
        belly_mm=float(rng.uniform(90, 170)),
    )


def _draw_blobs(
    rng: np.random.Generator, ranges: Around, z: np.ndarray, names: tuple[str, ...]
) -> tuple[Blob, ...]:
    blobs = []
    heart = float(np.interp(rng.uniform(8, 12), np.arange(len(z)), z))
    if rng.random() < 0.8:
        blood = float(rng.uniform(20, 420))
        size = (45.0, float(rng.uniform(18, 40)), float(rng.uniform(20, 45)))
        blobs.append(Blob(-10.0, float(rng.uniform(4, 22)) + size[1], heart, size, blood, blood))
    low, high = z[names.index("S1")], z[names.index("T11")]
    for _ in range(int(rng.integers(0, 9)) if rng.random() < ranges.bowel else 0):
        filling = rng.choice([rng.uniform(-950, -600), rng.uniform(-50, 50), rng.uniform(60, 250)])
        size = tuple(rng.uniform(6, 26, 3))
        front = float(rng.uniform(14, 90)) + size[1] * 0.6
        blobs.append(
            Blob(
                side=float(rng.normal(0, 22)),
                front=front,
                z=float(rng.uniform(low, high)),
                half=(float(size[0]), float(size[1]), float(size[2])),
                hu=float(filling),
                wall_hu=float(rng.uniform(30, 110)),
            )
        )
    return tuple(blobs)


@dataclass(frozen=True, eq=False)
class SpineFrame:
    """Distances in front of (a) and behind (p) the spine's bodies, and to its side."""

    a: np.ndarray
    p: np.ndarray
    side: np.ndarray
    canal: np.ndarray
    canal_half: np.ndarray
    back_y: np.ndarray
    z: np.ndarray


def spine_frame(
    canvas: Canvas, bodies: tuple[Body, ...], places: tuple[Placement, ...]
) -> SpineFrame:
    """Return how far every point lies before, behind and beside the spine."""
    grid = canvas.grid
    knots = np.array([p.center for p in places])[::-1]
    depth = np.array([b.depth for b in bodies])[::-1]
    lean = np.array([p.axes[1] for p in places])[::-1]
    norms = norms_of(tuple(body.name for body in bodies))
    size = depth / norms["depth"][::-1]
    front = knots + lean * depth[:, None] / 2
    back = knots - lean * depth[:, None] / 2
    z = grid.z

    def along(at: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.interp(z, at, values).astype(np.float32)

    return SpineFrame(
        a=grid.y - along(front[:, 2], front[:, 1]),
        p=along(back[:, 2], back[:, 1]) - grid.y,
        side=grid.x - along(knots[:, 2], knots[:, 0]),
        canal=along(back[:, 2], (norms["canal_d"][::-1] * size)),
        canal_half=along(back[:, 2], (norms["canal_w"][::-1] * size / 2)),
        back_y=along(back[:, 2], back[:, 1]),
        z=z,
    )


def paint_surroundings(
    canvas: Canvas,
    around: Surroundings,
    bodies: tuple[Body, ...],
    places: tuple[Placement, ...],
) -> None:
    """Paint all soft tissue, before discs and bones are painted over it."""
    frame = spine_frame(canvas, bodies, places)
    for layer in _LAYERS:
        layer(canvas, around, frame)
    if around.arms is not None:
        trunk = (around.belly_mm, _behind_mm(around, frame))
        paint_arms(canvas, around.arms, (frame.side, frame.a), trunk)


def _muscle(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    canvas.hu[...] = s.soft + 9 * canvas.coarse + 6 * canvas.mid
    streaks = canvas.coarse + 0.7 * canvas.mid + 0.3 * canvas.fine
    share = np.clip((streaks - 1.3 + s.muscle_fat) / 0.8, 0, 1) * (f.p > 0)
    blend(canvas.hu, share, s.fat)


def _abdomen(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    below = cover(f.z - s.diaphragm_z, 8.0)
    share = np.clip((canvas.coarse + 0.5 * canvas.mid + s.visceral_fat - 0.2) / 0.5, 0, 1)
    blend(canvas.hu, share * below * cover(5 - f.a, 3.0), s.fat + 22 * canvas.mid)


def _thorax(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    above = cover(s.diaphragm_z - f.z, 4.0)
    gap, width = s.recess_mm
    half = 26.0 + 8.0 * cover(gap - f.a, 4.0)
    if s.lung_midline:
        edge = 3.0 * canvas.coarse
        half = half - 42.0 * cover(gap - f.a + edge, 5.0) * cover(f.a - gap - width + edge, 5.0)
    wall = np.clip(f.p - 6.0, 0, None) * 0.9
    lateral = half + 7 * canvas.coarse + wall - np.abs(f.side)
    share = above * cover(lateral, 1.5) * cover(f.p - 26, 2.0) * cover(np.abs(f.side) - 125, 3.0)
    if s.rounded:
        share = share * _inside_chest(s, f)
    blend(canvas.hu, share, s.lung + 35 * canvas.coarse + 30 * canvas.fine)


def _inside_chest(s: Surroundings, f: SpineFrame) -> np.ndarray:
    """Return where lungs may be: inside the chest wall, above a domed diaphragm."""
    side = np.abs(f.side)
    edge = trunk_edge_mm(f.a, s.belly_mm, _behind_mm(s, f))
    dome = 16 - 22 * ((side - 55) / 50) ** 2
    low = f.z - s.diaphragm_z - np.maximum(dome, -30) + 16
    return cover(side - edge + 24, 3.0) * cover(-low, 4.0)


def _behind_mm(s: Surroundings, f: SpineFrame) -> float:
    """Return how far behind the bodies the skin lies in the middle."""
    return float(f.canal.max()) + 36 + s.fat_layer_mm


def _organs(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    bulge = 0.5 - 1.5 * float(canvas.coarse.min())
    for blob in s.blobs:
        offsets = (f.side - blob.side), (f.a - blob.front), (f.z - blob.z)
        reach = 1.001 * (1 + bulge / min(blob.half))
        near = [np.abs(d) <= reach * h for d, h in zip(offsets, blob.half, strict=True)]
        box = _bounds(near, canvas.hu.shape)
        du, dv, dw = (_cut(offset, box) for offset in offsets)
        a, b, c = blob.half
        rho = np.sqrt((du / a) ** 2 + (dv / b) ** 2 + (dw / c) ** 2)
        distance = (rho - 1) * min(blob.half) + 1.5 * canvas.coarse[box]
        blend(canvas.hu[box], cover(distance, 1.0), blob.wall_hu)
        blend(canvas.hu[box], cover(distance + 2.5, 1.0), blob.hu)


def _bounds(near: Sequence[np.ndarray], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the box of a grid beyond which not all conditions hold, each along some axes.

    Organs are small beside the grid, so that most of it need not be painted.
    """
    box = []
    for axis, count in enumerate(shape):
        others = tuple(k for k in range(len(shape)) if k != axis)
        inside = np.ones(count, bool)
        for one in near:
            inside &= one.reshape((1,) * (len(shape) - one.ndim) + one.shape).any(axis=others)
        at = np.flatnonzero(inside)
        box.append(slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 0))
    return tuple(box)


def _cut(array: np.ndarray, box: tuple[slice, ...]) -> np.ndarray:
    """Cut a box out of an array that is broadcast along its axes of length 1."""
    own = box[len(box) - array.ndim :]
    return array[tuple(s if n > 1 else slice(None) for s, n in zip(own, array.shape, strict=True))]


def _vessels(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    gap, radius, side, hu, calcified = s.vessel
    sideways, forwards, z0 = s.vessel_course
    drift = (2 + gap) * np.sin(f.z / 45 + side) + forwards * (f.z - z0)
    sway = side + sideways * (f.z - z0)
    away = np.sqrt((f.side - sway) ** 2 + (f.a - gap - radius - drift.clip(0)) ** 2)
    distance = away - radius
    blend(canvas.hu, cover(distance - 1.2, 1.0), s.soft)
    blend(canvas.hu, cover(distance, 1.0), hu)
    if calcified:
        ring = cover(np.abs(distance + 0.5) - 1.0, 1.0)
        blend(canvas.hu, ring * (0.6 * canvas.coarse + canvas.mid > 1.5), calcified)
    if s.airway[2] < 0:
        front, wide, air = s.airway
        tube = np.sqrt(f.side**2 + (f.a - front - wide) ** 2) - wide
        upper = cover(s.diaphragm_z + 110 - f.z, 10.0)
        blend(canvas.hu, upper * cover(tube - 1.5, 1.0), s.soft)
        blend(canvas.hu, upper * cover(tube, 1.0), air)


def paint_stripe(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    """Paint the ligament and the stripe of fat in front of the bodies."""
    near = cover(np.abs(f.side) - 16, 4.0) * cover(-f.a - 4, 1.0)
    blend(canvas.hu, near * cover(f.a - 1.2 - 0.8 * canvas.coarse, 1.0), s.soft)
    if s.stripe_mm:
        share = cover(np.abs(f.a - 1.5 - s.stripe_mm / 2) - s.stripe_mm / 2, 1.0)
        blend(canvas.hu, near * share * np.clip(0.6 + 0.5 * canvas.coarse, 0, 1), s.fat)


def paint_canal(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    """Paint fat, sac and cord of the canal."""
    half = f.canal / 2
    rho = np.sqrt((f.side / f.canal_half) ** 2 + ((f.p - half) / half) ** 2)
    distance = (rho - 1) * half
    blend(canvas.hu, cover(distance, 1.0), s.fat * np.clip(0.5 + 0.6 * canvas.coarse, 0.1, 1))
    blend(canvas.hu, cover(distance + half * (1 - s.sac_share) + 0.6, 1.0), s.sac)
    cord = np.sqrt(f.side**2 + (f.p - half) ** 2) - 0.28 * f.canal
    blend(
        canvas.hu,
        cover(cord, 1.0) * cover(s.diaphragm_z - 50 - f.z, 4.0),
        s.sac * 0.4 + s.cord + 15,
    )


def _surface(canvas: Canvas, s: Surroundings, f: SpineFrame) -> None:
    canal_end = f.canal + 32
    depth = f.p - canal_end - 3 * canvas.coarse
    round_back = np.abs(f.side) ** 2 / 260
    blend(canvas.hu, cover(-depth, 2.0), s.fat)
    skin = f.p - canal_end - s.fat_layer_mm - 4 + round_back
    blend(canvas.hu, cover(-skin, 1.0), s.soft)
    front = f.a - s.belly_mm + np.abs(f.side) ** 2 / 200
    outside = np.maximum(cover(-(skin - s.skin_mm), 1.0), cover(-front, 1.0))
    blend(canvas.hu, outside, -1000.0)
    gap, thick, hu = s.table
    if hu > -999:
        level = float(f.back_y.min() - f.canal.max()) - 40 - s.fat_layer_mm - gap
        below = level - canvas.grid.y
        blend(canvas.hu, cover(np.abs(below - thick / 2) - thick / 2, 1.0) * outside, hu)


_LAYERS: tuple[Callable[[Canvas, Surroundings, SpineFrame], None], ...] = (
    _muscle,
    _abdomen,
    _thorax,
    _organs,
    _vessels,
    paint_stripe,
    paint_canal,
    _surface,
)
