"""The other planes of a vertebra: parasagittal on both sides, and coronal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.errors import GeometryError
from spinexplain.geometry import SheetFrame
from spinexplain.spine.reformat import box_frame
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Patch, Vertebra, Volume

PARASAGITTAL_MM = 8.0


@dataclass(frozen=True, eq=False)
class Planes:
    """Three pictures of one vertebra beside its mid-sagittal patch.

    Parameters
    ----------
    left, right : ndarray of float32, shape (rows, columns)
        HU, parallel to the patch, towards the patient's left and right; anterior is on the
        viewer's left, cranial on top.
    coronal : ndarray of float32, shape (rows, columns)
        HU through the center of the body, upright along the spine; the patient's left is
        on the viewer's right.
    """

    left: np.ndarray
    right: np.ndarray
    coronal: np.ndarray


def planes_of(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    patch: Patch,
    apart_mm: float = PARASAGITTAL_MM,
) -> Planes:
    """Sample the planes beside a 2-D patch from the CT.

    Parameters
    ----------
    volume : Volume
    vertebrae : sequence of Vertebra
        All of the scan; they give the direction of the coronal plane.
    patch : Patch
        A sagittal sheet.
    apart_mm : float
        Distance of the parasagittal planes from the patch.

    Raises
    ------
    GeometryError
        If the patch is not a sagittal sheet.
    """
    frame = patch.frame
    if not isinstance(frame, SheetFrame):
        raise GeometryError(
            f"{patch.vertebra.level.value}: the patch lies in a {type(frame).__name__}; "
            "expected a SheetFrame. Show the vertebra on a 2-D sheet."
        )
    left, right = (
        sample_volume(volume, replace(frame, offset_mm=frame.offset_mm + side))[0]
        for side in (apart_mm, -apart_mm)
    )
    rows, columns = frame.shape
    box = box_frame(vertebrae, patch.vertebra, (rows, 1, columns), frame.spacing_mm)
    return Planes(left, right, sample_volume(volume, box)[0][:, 0, :])
