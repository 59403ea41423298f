"""The other planes of a vertebra: parasagittal on both sides, and coronal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from spinexplain.geometry import apply_affine
from spinexplain.types import Patch, Volume

PARASAGITTAL_MM = 8.0
_AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class Planes:
    """Three pictures of one vertebra beside its mid-sagittal patch.

    Parameters
    ----------
    left, right : ndarray of float32, shape (rows, columns)
        HU, parallel to the patch, towards the patient's left and right; anterior is on the
        viewer's left, cranial on top.
    coronal : ndarray of float32, shape (rows, rows)
        HU through the centre of the body; the patient's left is on the viewer's right.
    """

    left: np.ndarray
    right: np.ndarray
    coronal: np.ndarray


def planes_of(volume: Volume, patch: Patch, apart_mm: float = PARASAGITTAL_MM) -> Planes:
    """Sample the planes beside a 2-D patch from the CT.

    Parameters
    ----------
    volume : Volume
    patch : Patch
        A 2-D sheet; its frame takes (row, column, offset_mm) with the offset positive to
        the patient's left.
    apart_mm : float
        Distance of the parasagittal planes from the patch.
    """
    frame = patch.frame
    rows, columns = frame.shape
    row, column = np.mgrid[:rows, :columns].astype(float)
    left, right = (
        _sample(volume, frame.to_mm(np.stack([row, column, np.full_like(row, side)], axis=-1)))
        for side in (apart_mm, -apart_mm)
    )
    depth = float(frame.to_patch(np.array(patch.vertebra.centroid_mm))[1])
    row, across = np.mgrid[:rows, :rows].astype(float)
    offset_mm = (across - (rows - 1) / 2) * frame.spacing_mm
    index = np.stack([row, np.full_like(row, depth), offset_mm], axis=-1)
    return Planes(left, right, _sample(volume, frame.to_mm(index)))


def _sample(volume: Volume, points_mm: np.ndarray) -> np.ndarray:
    index_ijk = np.moveaxis(apply_affine(np.linalg.inv(volume.affine), points_mm), -1, 0)
    return map_coordinates(
        volume.array, index_ijk, output=np.float32, order=1, mode="constant", cval=_AIR_HU
    )
