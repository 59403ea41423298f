"""The field of view of a scan: what part of the body, on which grid, in which axis order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import nibabel as nib
import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.grids import Grid, box_grid, tilted_grid
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.spine import Placement
from spinexplain.geometry import apply_affine

_FINEST_MM = 1.25  # the painters spread edges over one step; coarser voxels are averaged


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """A box of voxels in the patient.

    Parameters
    ----------
    low_mm : tuple of 3 floats
        RAS+ position of the first voxel's center.
    shape : tuple of 3 ints
        Voxels along x, y, z.
    spacing_mm : tuple of 3 floats
    axes : str
        Axis codes of the array as stored, e.g. ``"PIR"``.
    gantry_deg : float
        Tilt of the slices about the left-right axis: a sheared grid, as tilted gantries give.
    turn : ndarray, shape (4, 4), optional
        From the frame the box lies in to the patient's, mm to mm: an oblique grid.
    """

    low_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    axes: str
    gantry_deg: float = 0.0
    turn: np.ndarray | None = None

    @property
    def oversample(self) -> tuple[int, int, int]:
        """Painted samples per voxel along x, y, z; odd, so that one lies in the middle."""
        x, y, z = (2 * ceil((s / _FINEST_MM - 1) / 2 - 1e-6) + 1 for s in self.spacing_mm)
        return max(x, 1), max(y, 1), max(z, 1)

    def fine_grid(self) -> Grid:
        """Return the grid to paint on."""
        lines, steps = [], []
        for low, n, spacing, over in zip(
            self.low_mm, self.shape, self.spacing_mm, self.oversample, strict=True
        ):
            step = spacing / over
            lines.append(low - (over - 1) / 2 * step + step * np.arange(n * over))
            steps.append(step)
        pixel = float(np.prod(steps) ** (1 / 3))
        if self.gantry_deg:
            tilt = float(np.deg2rad(self.gantry_deg))
            return tilted_grid(lines[0], lines[1], lines[2], pixel, tilt)
        return box_grid(lines[0], lines[1], lines[2], pixel)

    @property
    def affine(self) -> np.ndarray:
        """Voxel index (x, y, z) to RAS+ mm of the patient."""
        affine = np.diag([*self.spacing_mm, 1.0])
        affine[:3, 3] = self.low_mm
        if self.gantry_deg:
            tilt = np.deg2rad(self.gantry_deg)
            half = self.spacing_mm[1] * (self.shape[1] - 1) / 2
            column = np.array([np.cos(tilt), np.sin(tilt)])
            affine[1:3, 1] = self.spacing_mm[1] * column
            affine[1:3, 3] += half * (np.array([1.0, 0.0]) - column)
        return affine if self.turn is None else self.turn @ affine

    def to_patient(self, point_mm: np.ndarray) -> np.ndarray:
        """Bring a point of the box's frame into the patient's."""
        return point_mm if self.turn is None else apply_affine(self.turn, point_mm)

    def oriented(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put an (x, y, z) array into the stored axis order; return it with its affine."""
        return in_axis_order(array, self.affine, self.axes)


def in_axis_order(
    array: np.ndarray, affine: np.ndarray, axes: str
) -> tuple[np.ndarray, np.ndarray]:
    """Put an array along right, anterior, superior into another axis order, with its affine.

    Parameters
    ----------
    array : ndarray, shape (X, Y, Z)
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm, axes right, anterior, superior apart from tilts.
    axes : str
        Axis codes of the array as it is stored, such as ``"LPS"``.

    Examples
    --------
    >>> turned, affine = in_axis_order(np.arange(2).reshape(2, 1, 1), np.eye(4), "LAS")
    >>> turned.ravel(), affine[0]
    (array([1, 0]), array([-1.,  0.,  0.,  1.]))
    """
    start = nib.orientations.axcodes2ornt("RAS")
    turn = nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(tuple(axes)))
    turned = nib.orientations.apply_orientation(array, turn)
    back = nib.orientations.inv_ornt_aff(turn, array.shape)
    return np.ascontiguousarray(turned), affine @ back


def block_mean(fine: np.ndarray, over: tuple[int, int, int]) -> np.ndarray:
    """Average blocks of ``over`` samples into voxels.

    Examples
    --------
    >>> block_mean(np.arange(6.0).reshape(1, 1, 6), (1, 1, 3)).ravel()
    array([1., 4.])
    """
    for axis, n in enumerate(over):
        if n > 1:
            shape = [*fine.shape[:axis], fine.shape[axis] // n, n, *fine.shape[axis + 1 :]]
            fine = fine.reshape(shape).mean(axis=axis + 1)
    return fine


def block_pick(fine: np.ndarray, over: tuple[int, int, int]) -> np.ndarray:
    """Take the middle sample of every block."""
    return fine[tuple(slice(n // 2, None, n) for n in over)]


def draw_field(
    rng: np.random.Generator,
    preset: Preset,
    places: tuple[Placement, ...],
    names: tuple[str, ...] = LEVEL_NAMES,
) -> FieldOfView:
    """Draw the part of the body that is scanned, its grid and its axis order."""
    f = preset.field
    first, last = _draw_span(rng, preset, names)
    centers = np.array([p.center for p in places])
    view = centers[first : last + 1]
    margin = rng.uniform(*f.margin_mm, 2)
    low = view.min(0) - [rng.uniform(*f.half_width_mm), rng.uniform(*f.behind_mm), margin[0]]
    beyond = [rng.uniform(*f.half_width_mm), rng.uniform(*f.front_mm), margin[1]]
    high = view.max(0) + beyond
    spacing = _draw_spacing(rng, preset)
    shape = np.maximum(np.round((high - low) / spacing).astype(int), 8)
    axes = f.axes[int(rng.integers(len(f.axes)))]
    return FieldOfView(
        (float(low[0]), float(low[1]), float(low[2])),
        (int(shape[0]), int(shape[1]), int(shape[2])),
        spacing,
        axes,
    )


_WIDE_MM, _WIDE_SPACING_MM = (165.0, 215.0), 1.25


def draw_pose(
    rng: np.random.Generator, preset: Preset, places: tuple[Placement, ...]
) -> np.ndarray | None:
    """Draw how the grid of an oblique scan is turned; None where it is not oblique.

    Returns
    -------
    ndarray of shape (4, 4) or None
        Rigid, from the frame of the grid to the patient's, turning about the spine's middle.
    """
    f = preset.field
    angles = np.deg2rad(rng.uniform(*f.oblique_deg)) * rng.choice([-1.0, 1.0], 3)
    angles *= rng.dirichlet(np.ones(3)) ** 0.5
    if rng.random() >= f.oblique:
        return None
    turn = np.eye(4)
    for axis, angle in enumerate(angles):
        i, j = [k for k in range(3) if k != axis]
        step = np.eye(4)
        step[[i, j], [i, j]] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    middle = np.mean([place.center for place in places], axis=0)
    turn[:3, 3] = middle - turn[:3, :3] @ middle
    return turn


def posed(places: tuple[Placement, ...], turn: np.ndarray | None) -> tuple[Placement, ...]:
    """Return the bodies in the frame of an oblique grid."""
    if turn is None:
        return places
    rotation, shift = turn[:3, :3], turn[:3, 3]
    return tuple(Placement((p.center - shift) @ rotation, p.axes @ rotation) for p in places)


def draw_grid(
    rng: np.random.Generator, preset: Preset, field: FieldOfView, turn: np.ndarray | None
) -> FieldOfView:
    """Draw what else a scanner does to a grid: a wide field of view, a tilted gantry."""
    f = preset.field
    wide, tilted = rng.random(2) < (f.wide, f.gantry)
    sides = rng.uniform(*_WIDE_MM, 2)
    angle = float(rng.uniform(*f.gantry_deg) * rng.choice([-1.0, 1.0]))
    field = replace(field, turn=turn, gantry_deg=angle if tilted else 0.0)
    if not wide:
        return field
    low, spacing = field.low_mm, (_WIDE_SPACING_MM,) * 3
    middle = low[0] + field.spacing_mm[0] * (field.shape[0] - 1) / 2
    across = int(sides.sum() / _WIDE_SPACING_MM)
    shape = [
        int(n * old / new)
        for n, old, new in zip(field.shape, field.spacing_mm, spacing, strict=True)
    ]
    return replace(
        field,
        low_mm=(middle - float(sides[0]), low[1], low[2]),
        shape=(across, shape[1], shape[2]),
        spacing_mm=spacing,
    )


def _draw_span(rng: np.random.Generator, preset: Preset, names: tuple[str, ...]) -> tuple[int, int]:
    span = preset.field.spans[int(rng.integers(len(preset.field.spans)))]
    top, bottom = span.split("-")
    return names.index(top), names.index(bottom)


def _draw_spacing(rng: np.random.Generator, preset: Preset) -> tuple[float, float, float]:
    s = preset.field
    plane = float(np.round(rng.uniform(*s.spacing_mm), 3))
    slices = float(np.round(rng.uniform(*s.slice_mm), 3))
    kind = int(rng.choice(3, p=np.array(s.slicing) / sum(s.slicing)))
    if kind == 0:
        return plane, plane, plane
    return (plane, plane, slices) if kind == 1 else (slices, plane, plane)
