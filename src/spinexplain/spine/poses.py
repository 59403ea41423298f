"""The same vertebra seen from slightly other centers: how firm an answer is.

A body's center comes from a mask, a list or a click, and each puts it a little elsewhere. A
network is therefore asked several times, with the sheet moved and tilted by as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.geometry import SheetFrame
from spinexplain.spine.reformat import sample_patch
from spinexplain.types import Patch, Volume

SHIFT_MM, TILT_DEG = 3.0, 5.0


@dataclass(frozen=True)
class Pose:
    """How a sheet lies against the one on the given center.

    Parameters
    ----------
    caudal_mm, posterior_mm : float
        Shift of the center.
    tilt_deg : float
        Turn within the sheet, about its center.
    """

    caudal_mm: float = 0.0
    posterior_mm: float = 0.0
    tilt_deg: float = 0.0


POSES = (
    Pose(),
    Pose(caudal_mm=SHIFT_MM),
    Pose(caudal_mm=-SHIFT_MM),
    Pose(posterior_mm=SHIFT_MM),
    Pose(posterior_mm=-SHIFT_MM),
    Pose(tilt_deg=TILT_DEG),
    Pose(tilt_deg=-TILT_DEG),
)
"""The given center first, then 3 mm down, up, back and front, and 5 degrees either way."""


@dataclass(frozen=True, eq=False)
class TiltedFrame:
    """A sheet turned within itself about its own center.

    Parameters
    ----------
    sheet : SheetFrame
    tilt_deg : float
        Positive turns the anterior edge downwards.

    Examples
    --------
    >>> from spinexplain.geometry import fit_curve
    >>> line = fit_curve(np.array([[0.0, 100.0], [0.0, 0.0]]), np.array([0.0, -1.0]))
    >>> frame = TiltedFrame(SheetFrame(line, 50.0, 0.0, (3, 3), 1.0), 90.0)
    >>> np.abs(frame.to_mm(np.array([1.0, 0.0]))).round(6).tolist()
    [0.0, 0.0, 49.0]
    """

    sheet: SheetFrame
    tilt_deg: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns."""
        return self.sheet.shape

    @property
    def spacing_mm(self) -> float:
        """Of rows and columns."""
        return self.sheet.spacing_mm

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Map (row, column) (..., 2) to RAS+ mm (..., 3)."""
        return self.sheet.to_mm(self._turned(np.asarray(index, dtype=float), self.tilt_deg))

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm (..., 3) to (row, column, offset_mm)."""
        there = self.sheet.to_patch(xyz_mm)
        flat = self._turned(there[..., :2], -self.tilt_deg)
        return np.concatenate([flat, there[..., 2:]], axis=-1)

    def _turned(self, index: np.ndarray, degrees: float) -> np.ndarray:
        middle = (np.array(self.sheet.shape) - 1) / 2
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return (index - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle


def posed_patches(volume: Volume, patch: Patch, poses: Sequence[Pose] = POSES) -> list[Patch]:
    """Sample a vertebra's sheet at every pose, straight from the CT.

    Parameters
    ----------
    volume : Volume
    patch : Patch
        A 2-D patch on a :class:`~spinexplain.geometry.SheetFrame`.
    poses : sequence of Pose

    Returns
    -------
    list of Patch
        In the order of ``poses``; the first pose's is ``patch`` itself where nothing moves.
        The centroid of each moves with it, as a center that was put there would.
    """
    return [patch if pose == Pose() else _posed(volume, patch, pose) for pose in poses]


def _posed(volume: Volume, patch: Patch, pose: Pose) -> Patch:
    assert isinstance(patch.frame, SheetFrame)
    moved = replace(
        patch.frame,
        s_center_mm=patch.frame.s_center_mm + pose.caudal_mm,
        y_center_mm=patch.frame.y_center_mm - pose.posterior_mm,
    )
    shift = np.array([pose.caudal_mm, pose.posterior_mm]) / patch.frame.spacing_mm
    index = patch.frame.to_patch(np.asarray(patch.vertebra.centroid_mm, dtype=float))
    index[:2] += shift
    x, y, z = (float(value) for value in patch.frame.to_mm(index))
    vertebra = replace(patch.vertebra, centroid_mm=(x, y, z))
    frame = TiltedFrame(moved, pose.tilt_deg) if pose.tilt_deg else moved
    return sample_patch(volume, vertebra, frame)
