"""The field of view of a scan: what part of the body, on which grid, in which axis order."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import nibabel as nib
import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.grids import Grid, box_grid
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.spine import Placement

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
    """

    low_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    axes: str

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
        return box_grid(lines[0], lines[1], lines[2], float(np.prod(steps) ** (1 / 3)))

    def oriented(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put an (x, y, z) array into the stored axis order; return it with its affine."""
        affine = np.diag([*self.spacing_mm, 1.0])
        affine[:3, 3] = self.low_mm
        start = nib.orientations.axcodes2ornt("RAS")
        goal = nib.orientations.axcodes2ornt(tuple(self.axes))
        turn = nib.orientations.ornt_transform(start, goal)
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
    rng: np.random.Generator, preset: Preset, places: tuple[Placement, ...]
) -> FieldOfView:
    """Draw the part of the body that is scanned, its grid and its axis order."""
    f = preset.field
    first, last = _draw_span(rng, preset)
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


def _draw_span(rng: np.random.Generator, preset: Preset) -> tuple[int, int]:
    span = preset.field.spans[int(rng.integers(len(preset.field.spans)))]
    top, bottom = span.split("-")
    return LEVEL_NAMES.index(top), LEVEL_NAMES.index(bottom)


def _draw_spacing(rng: np.random.Generator, preset: Preset) -> tuple[float, float, float]:
    s = preset.field
    plane = float(np.round(rng.uniform(*s.spacing_mm), 3))
    slices = float(np.round(rng.uniform(*s.slice_mm), 3))
    kind = int(rng.choice(3, p=np.array(s.slicing) / sum(s.slicing)))
    if kind == 0:
        return plane, plane, plane
    return (plane, plane, slices) if kind == 1 else (slices, plane, plane)
