"""What part of a person is scanned, on which grid: from three levels to all of the trunk."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from spinexplain.data.phantom.field import in_axis_order
from spinexplain.data.phantom.presets import Field
from spinexplain.data.phantom.wide.landmarks import NUMBERS
from spinexplain.data.phantom.wide.person import WidePerson

_SPANS = (
    ("C1", "T4"),
    ("C6", "L1"),
    ("T1", "L1"),
    ("T8", "S3"),
    ("T10", "S3"),
    ("T11", "S2"),
    ("C7", "S3"),
)
_FEW = 0.35  # of scans show any three to ten levels instead of a usual region
_NARROW = 0.5  # of scans show the spine and little beside it
_MOST_VOXELS = 30_000_000
_FLATTEST = 1.5  # painted voxels are at most this much longer than wide


@dataclass(frozen=True, eq=False)
class WideField:
    """A grid in a person.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm, axes right, anterior, superior apart from tilts.
    shape : tuple of 3 ints
    oversample : tuple of 3 ints
        Painted samples for each voxel.
    axes : str
        Axis codes of the array as it is stored.
    round_mm : float
        Radius of the round field around the middle of the slices; 0 where it is square.
    gantry_deg : float
    is_oblique : bool
    """

    affine: np.ndarray
    shape: tuple[int, int, int]
    oversample: tuple[int, int, int] = (1, 1, 1)
    axes: str = "RAS"
    round_mm: float = 0.0
    gantry_deg: float = 0.0
    is_oblique: bool = False

    def oriented(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put an array into the stored axis order; return it with its affine."""
        return in_axis_order(array, self.affine, self.axes)


def whole_field(
    person: WidePerson, spacing_mm: float, half_width_mm: float | None = None
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return affine and shape of the upright grid that holds all of a person's trunk.

    ``half_width_mm`` narrows it to so much on either side of the spine: ribs and hips still
    show at 100 mm, at half the cost.
    """
    low, high = _trunk(person)
    if half_width_mm is not None:
        sides = [center[0] for center in person.centers_mm.values()]
        low[0], high[0] = min(sides) - half_width_mm, max(sides) + half_width_mm
    return _upright(low, high, np.full(3, spacing_mm))


def draw_wide_field(rng: np.random.Generator, person: WidePerson) -> WideField:
    """Draw what a scan of one person shows, by the preset's ``[field]`` and ``[wide]``."""
    f = person.preset.field
    low, high = _trunk(person)
    if rng.random() < person.preset.wide.cropped:
        low, high = _cropped(rng, person, low, high)
    spacing, slices = _spacing(rng, f)
    voxels = float(np.prod((high - low) / spacing))
    spacing = spacing * max((voxels / _MOST_VOXELS) ** (1 / 3), 1.0)
    affine, shape = _upright(low, high, spacing)
    turn, gantry = _tilts(rng, f)
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3]
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    over = [1, 1, 1]
    over[slices] = max(ceil(spacing[slices] / (_FLATTEST * spacing.min()) - 1e-6) | 1, 1)
    half = float(max((high - low)[:2])) / 2
    is_round = rng.random() < person.preset.scanner.edge
    return WideField(
        affine=affine,
        shape=shape,
        oversample=(over[0], over[1], over[2]),
        axes=f.axes[int(rng.integers(len(f.axes)))],
        round_mm=half * float(rng.uniform(0.92, 1.15)) if is_round else 0.0,
        gantry_deg=gantry,
        is_oblique=bool(np.abs(turn - np.eye(3)).max() > _STRAIGHT and not gantry),
    )


_STRAIGHT = 1e-6


def _trunk(person: WidePerson) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest corner of the box around a person's trunk, mm."""
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
    middle, half = (low + high) / 2, np.minimum((high - low) / 2, [235.0, 200.0, 600.0])
    return middle - half, middle + half


def _upright(
    low: np.ndarray, high: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, tuple[int, int, int]]:
    n = np.maximum(np.round((high - low) / spacing).astype(int), 8)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (low + high) / 2 - (n - 1) / 2 * spacing
    return affine, (int(n[0]), int(n[1]), int(n[2]))


def _cropped(
    rng: np.random.Generator, person: WidePerson, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a part of the trunk."""
    names = [name for name in person.centers_mm if name == "C1" or name in NUMBERS]
    top, bottom = _SPANS[int(rng.integers(len(_SPANS)))]
    count, start = int(rng.integers(3, 11)), rng.random()
    if rng.random() < _FEW:
        first = int((len(names) - count) * start)
        top, bottom = names[first], names[first + count - 1]
    rows = slice(names.index(top), names.index(bottom) + 1)
    centers = np.array([person.centers_mm[name] for name in names])[rows]
    margin = rng.uniform(2, 45, 2)
    new_low, new_high = low.copy(), high.copy()
    new_low[2], new_high[2] = centers[:, 2].min() - margin[0], centers[:, 2].max() + margin[1]
    sides, front, behind = rng.uniform(45, 130, 2), rng.uniform(35, 110), rng.uniform(50, 95)
    if rng.random() < _NARROW:
        new_low[0], new_high[0] = centers[:, 0].min() - sides[0], centers[:, 0].max() + sides[1]
        new_low[1], new_high[1] = centers[:, 1].min() - behind, centers[:, 1].max() + front
    return new_low, new_high


def _spacing(rng: np.random.Generator, f: Field) -> tuple[np.ndarray, int]:
    """Return the spacing along x, y, z (mm) and the axis along which slices follow."""
    plane, slices = (float(np.round(rng.uniform(*r), 3)) for r in (f.spacing_mm, f.slice_mm))
    kind = int(rng.choice(3, p=np.array(f.slicing) / sum(f.slicing)))
    if kind == 0:
        return np.full(3, plane), 2
    axis = 2 if kind == 1 else 0
    spacing = np.full(3, plane)
    spacing[axis] = slices
    return spacing, axis


def _tilts(rng: np.random.Generator, f: Field) -> tuple[np.ndarray, float]:
    """Return the matrix that turns or shears a grid, and the tilt of its gantry in degrees."""
    angles = np.deg2rad(rng.uniform(*f.oblique_deg)) * rng.choice([-1.0, 1.0], 3)
    angles *= rng.dirichlet(np.ones(3)) ** 0.5
    tilt = float(rng.uniform(*f.gantry_deg) * rng.choice([-1.0, 1.0]))
    oblique, tilted = rng.random(2) < (f.oblique, f.gantry)
    turn = np.eye(3)
    if tilted:
        c, s = np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))
        return np.array([[1, 0, 0], [0, c, 0], [0, s, 1.0]]), tilt
    if oblique:
        for axis, angle in enumerate(angles):
            i, j = [k for k in range(3) if k != axis]
            step = np.eye(3)
            step[[i, j], [i, j]] = np.cos(angle)
            step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
            turn = turn @ step
    return turn, 0.0
