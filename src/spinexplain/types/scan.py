"""A scan and what is cut out of it: volume, label map, vertebra, patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, ShapeError
from spinexplain.extents import LabelExtent, label_extents

Array = NDArray[np.floating]


def _check_grid(what: str, array: np.ndarray, affine: np.ndarray) -> None:
    if array.ndim != 3:
        raise ShapeError(f"{what} array must be 3-D; got shape {array.shape}.")
    if affine.shape != (4, 4) or not np.all(np.isfinite(affine)):
        raise GeometryError(f"{what} affine must be a finite 4 x 4 matrix; got {affine.tolist()}.")
    if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise GeometryError(
            f"{what} affine is singular ({affine[:3, :3].tolist()}); "
            "expected three independent axes. Repair the header of the file."
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT scan on its native grid.

    Parameters
    ----------
    array : ndarray, shape (X, Y, Z), any real dtype
        Hounsfield units. Kept in the dtype of the file where that is exact (int16),
        float32 otherwise; never float64.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ millimeters. Shear (gantry tilt) is allowed.
    flags : tuple of str
        What its file leaves open, e.g. ``"orientation_unknown"``; see
        :mod:`spinexplain.io.scan_flags`.

    Raises
    ------
    ShapeError, GeometryError
        If the array is not 3-D, or the affine is singular or not finite.
    """

    array: np.ndarray
    affine: np.ndarray
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_grid("Volume", self.array, self.affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one voxel step along each array axis, mm."""
        return _spacing(self.affine)

    @cached_property
    def range_hu(self) -> tuple[float, float]:
        """The lowest and the highest value; the voxels are looked at once."""
        return float(self.array.min()), float(self.array.max())


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A mask of integer labels on a grid. A type of its own, so that nobody interpolates it.

    Parameters
    ----------
    array : ndarray of integers, shape (X, Y, Z)
        0 is background. Vertebra masks hold VerSe labels (C1-C7 1-7, T1-T12 8-19,
        L1-L6 20-25, T13 28).
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ millimeters.
    """

    array: np.ndarray
    affine: np.ndarray

    def __post_init__(self) -> None:
        _check_grid("LabelMap", self.array, self.affine)
        if not np.issubdtype(self.array.dtype, np.integer):
            raise ShapeError(f"LabelMap array must hold integers; got {self.array.dtype}.")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of one voxel step along each array axis, mm."""
        return _spacing(self.affine)

    @cached_property
    def extents(self) -> Mapping[int, LabelExtent]:
        """Box, voxels and center of every label but 0; the mask is looked at once."""
        return label_extents(self.array)


def _spacing(affine: np.ndarray) -> tuple[float, float, float]:
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(x), float(y), float(z)


@dataclass(frozen=True)
class Vertebra:
    """A named vertebra and the center of its body.

    Parameters
    ----------
    level : VertebraLevel
    centroid_mm : tuple of 3 floats
        Center of the vertebral body (not of the whole bone), RAS+ mm.
    flags : tuple of str
        What to know about this center or this bone, e.g. ``"touches_border"``.
    """

    level: VertebraLevel
    centroid_mm: tuple[float, float, float]
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.centroid_mm) != 3 or not np.all(np.isfinite(self.centroid_mm)):
            raise GeometryError(
                f"{self.level.value}: centroid_mm must be three finite numbers; "
                f"got {self.centroid_mm}."
            )


class Frame(Protocol):
    """Where a patch lies in the patient: analytic, both ways, nothing stored per pixel."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each patch axis."""
        ...

    @property
    def spacing_mm(self) -> float:
        """Distance of neighboring samples, the same along every patch axis."""
        ...

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Map patch indices (..., N) to RAS+ mm (..., 3)."""
        ...

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm (..., 3) to patch coordinates (..., 3).

        A 3-D box answers with its three indices; a 2-D sheet with row, column and the
        signed distance from the sheet in mm.
        """
        ...


@dataclass(frozen=True, eq=False)
class Patch:
    """The neighborhood of one vertebra, sampled from the CT.

    Parameters
    ----------
    vertebra : Vertebra
    array : ndarray of float32, shape (*S)
        HU. 2-D: row 0 is cranial, column 0 anterior. 3-D: axis 0 runs caudal, axis 1
        posterior, axis 2 towards the patient's left (the viewer's right).
    frame : Frame
        Maps patch indices to RAS+ mm and back.
    outside : float
        Share of the samples that fell outside the scan and were set to -1000 HU, 0 to 1.
    """

    vertebra: Vertebra
    array: np.ndarray
    frame: Frame
    outside: float = 0.0

    def __post_init__(self) -> None:
        if self.array.shape != tuple(self.frame.shape):
            raise ShapeError(
                f"Patch array must have the shape of its frame {tuple(self.frame.shape)}; "
                f"got {self.array.shape}."
            )
