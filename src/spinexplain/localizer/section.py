"""The section along the spine: the scan unrolled along a curve, 112 x 120 mm wide."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.ndimage import gaussian_filter1d

from spinexplain.geometry import Curve, box_axes, fit_curve
from spinexplain.models.localizing import LEVELS_STRIDE, SECTION_SHAPE
from spinexplain.spine.resample import resample_points
from spinexplain.spine.sampling import AIR_HU
from spinexplain.spine.straighten import StraightenedFrame
from spinexplain.types import Volume

STEP_MM = 2.0
BEYOND_MM = 28.0
"""How far the section goes on past the ends of the curve."""

_CAUDAL = np.array([0.0, 0.0, -1.0])
_KNOT_MM = 12.0
_AT_ONCE = 8  # planes


def section_frame(
    curve: Curve, start_mm: float, positions: int, step_mm: float = STEP_MM
) -> StraightenedFrame:
    """Lay a section along a part of a curve.

    Parameters
    ----------
    curve : Curve
    start_mm : float
        Arc length of the first position; negative before the curve begins.
    positions : int
    step_mm : float
        Distance of the samples, along the curve and across it.

    Examples
    --------
    >>> line = fit_curve(np.array([[0.0, 0, 90], [0.0, 0, 0]]), _CAUDAL)
    >>> frame = section_frame(line, 10.0, 32)
    >>> frame.shape, frame.to_mm(np.array([0.0, 27.5, 29.5])).tolist()
    ((32, 56, 60), [0.0, 0.0, 80.0])
    """
    middle = start_mm + (positions - 1) / 2 * step_mm
    return StraightenedFrame(curve, middle, (positions, *SECTION_SHAPE), step_mm)


def whole_section(curve: Curve) -> StraightenedFrame:
    """Lay a section along the whole curve and a little past both ends."""
    steps = (curve.length_mm + 2 * BEYOND_MM) / STEP_MM
    positions = max(ceil(steps / LEVELS_STRIDE), 2) * LEVELS_STRIDE
    start = (curve.length_mm - (positions - 1) * STEP_MM) / 2
    return section_frame(curve, start, positions)


@dataclass(frozen=True, eq=False)
class SectionPlanes:
    """Where the planes of a section lie, in the coordinates of some grid.

    A sample (s, p, l) lies at ``start[s] + back[s, p] + left[s, l]``.

    Parameters
    ----------
    start : ndarray, shape (S, 3)
    back : ndarray, shape (S, 56, 3)
    left : ndarray, shape (S, 60, 3)
    """

    start: np.ndarray
    back: np.ndarray
    left: np.ndarray

    def points(self) -> np.ndarray:
        """Return every sample, float32, shape (S, 56, 60, 3)."""
        rows = (self.start[:, None] + self.back).astype(np.float32)
        return np.asarray(rows[:, :, None] + self.left.astype(np.float32)[:, None])

    def inside(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Say which samples lie between two corners, bool, shape (S, 56, 60)."""
        rows = self.start[:, None] + self.back
        found = np.ones((len(rows), rows.shape[1], self.left.shape[1]), bool)
        for axis in range(3):
            at = rows[:, :, None, axis] + self.left[:, None, :, axis]
            found &= (at >= low[axis]) & (at <= high[axis])
        return found

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and the highest coordinates, shape (3,) each."""
        rows = (self.start[:, None] + self.back)[:, [0, -1], None]
        corners = (rows + self.left[:, None, [0, -1]]).reshape(-1, 3)
        return corners.min(axis=0), corners.max(axis=0)

    def some(self, positions: slice) -> SectionPlanes:
        """Return some of the planes."""
        return SectionPlanes(self.start[positions], self.back[positions], self.left[positions])

    def mapped(self, affine: np.ndarray) -> SectionPlanes:
        """Return the planes in other coordinates, by a 4 x 4 affine."""
        turn = affine[:3, :3].T
        return SectionPlanes(self.start @ turn + affine[:3, 3], self.back @ turn, self.left @ turn)


def section_planes(frame: StraightenedFrame) -> SectionPlanes:
    """Return where the planes of a section lie, RAS+ mm; together the same as ``frame.to_mm``.

    Raises
    ------
    GeometryError
        If the curve runs along the left-right axis.
    """
    s = arc_lengths(frame)
    axes = box_axes(frame.curve.tangent(s))
    deep, across = ((np.arange(n) - (n - 1) / 2) * frame.spacing_mm for n in frame.shape[1:])
    return SectionPlanes(
        start=frame.curve.at(s),
        back=deep[None, :, None] * axes[:, None, 1],
        left=across[None, :, None] * axes[:, None, 2],
    )


def sampled_section(volume: Volume, frame: StraightenedFrame) -> np.ndarray:
    """Sample the scan along a section: HU, shape (positions, 56, 60), -1000 beyond the scan."""
    planes = section_planes(frame).mapped(np.linalg.inv(volume.affine))
    low, high = planes.ends()
    box = part_of(volume.array.shape, low, high)
    if any(side.start >= side.stop for side in box):
        return np.full(frame.shape, AIR_HU, np.float32)
    part, start = volume.array[box], np.array([side.start for side in box], np.float32)
    sampled = np.empty(frame.shape, np.float32)
    for first in range(0, len(sampled), _AT_ONCE):  # some planes at a time stay in the cache
        some = slice(first, first + _AT_ONCE)
        sampled[some] = resample_points(part, planes.some(some).points() - start, AIR_HU)[0]
    return sampled


def part_of(
    shape: tuple[int, ...], low: np.ndarray, high: np.ndarray
) -> tuple[slice, slice, slice]:
    """Return the part of a grid that samples between two corners (voxels) are read from."""
    x, y, z = (
        slice(min(max(int(np.floor(a)), 0), n), max(min(int(np.ceil(b)) + 2, n), 0))
        for a, b, n in zip(low, high, shape, strict=True)
    )
    return x, y, z


def arc_lengths(frame: StraightenedFrame) -> np.ndarray:
    """Return the arc length of every position of a section, mm."""
    n = frame.shape[0]
    return frame.s_center_mm + (np.arange(n) - (n - 1) / 2) * frame.spacing_mm


def moved_curve(frame: StraightenedFrame, offsets_mm: np.ndarray, trust: np.ndarray) -> Curve:
    """Move a curve by what a network says about its distance from the spine.

    Parameters
    ----------
    frame : StraightenedFrame
    offsets_mm : ndarray, shape (n, 2)
        From every position to the spine: posterior, left.
    trust : ndarray, shape (n,)
        Weight of every position, 0 to 1.

    Returns
    -------
    Curve
        Over the same stretch, its distance smoothed over about 25 mm.
    """
    s = arc_lengths(frame)
    inside = (s >= 0) & (s <= frame.curve.length_mm)
    moves = _smoothed(offsets_mm, trust)
    middle = (np.array(frame.shape[1:]) - 1) / 2
    index = np.column_stack([np.arange(len(s)), middle + moves / frame.spacing_mm])
    points = frame.to_mm(index[inside])
    every = max(round(_KNOT_MM / frame.spacing_mm), 1)
    picked = np.unique(np.r_[np.arange(0, max(len(points) - every // 2, 1), every)])
    picked = np.r_[picked, len(points) - 1] if picked[-1] != len(points) - 1 else picked
    return fit_curve(points[picked], _CAUDAL)


def _smoothed(offsets_mm: np.ndarray, trust: np.ndarray) -> np.ndarray:
    weight = gaussian_filter1d(trust + 1e-3, 6.0, mode="nearest")
    weighted = gaussian_filter1d(offsets_mm * (trust + 1e-3)[:, None], 6.0, axis=0, mode="nearest")
    return np.asarray(weighted / weight[:, None])
