"""The other planes of a vertebra: parasagittal on both sides, and coronal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.findings.scan import ScanFindings
from spinexplain.spine.views import coronal, parasagittal
from spinexplain.types import Patch

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


def planes_of(scan: ScanFindings, patch: Patch) -> Planes:
    """Sample the planes beside a patch from the scan's CT, at the patch's size and spacing.

    Parameters
    ----------
    scan : ScanFindings
    patch : Patch
        The sagittal sheet of one of its vertebrae.
    """
    vertebrae = [item.vertebra for item in scan.vertebrae]
    rows, columns = patch.frame.shape
    place = (scan.volume, vertebrae, patch.vertebra)
    size = ((rows, columns), patch.frame.spacing_mm)
    left, right = (parasagittal(*place, mm, *size) for mm in (PARASAGITTAL_MM, -PARASAGITTAL_MM))
    return Planes(left.array, right.array, coronal(*place, *size).array[:, 0, :])
