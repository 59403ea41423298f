"""What the networks of the localizer take and answer, without torch."""

from __future__ import annotations

import numpy as np

from spinexplain.anatomy import VertebraLevel

REGIONS = ("background", "neck", "thoracolumbar", "sacrum")
"""What a voxel of the whole field is, in the order of the curve network's channels."""

CURVE_STRIDE = 8
"""Every side of the curve network's input is a multiple of this many voxels."""

SACRUM, OUTSIDE = "S", "outside"
LEVEL_CLASSES = (*(level.value for level in VertebraLevel), SACRUM, OUTSIDE)
"""What a position along the spine is: a level, the sacrum, or neither."""

CENTER, DISC, OFFSETS, LEVELS = 0, 1, slice(2, 5), slice(5, 5 + len(LEVEL_CLASSES))
"""Channels of the levels network: logits, logits, cm (caudal, posterior, left), logits."""

LEVELS_STRIDE = 16
"""The number of positions of the levels network's input is a multiple of this."""

SECTION_SHAPE = (56, 60)
"""Samples of the section across the spine: posterior, left; 2 mm apart."""


def as_densities(hu: np.ndarray) -> np.ndarray:
    """Bring HU to the range that the networks of the localizer see.

    Soft tissue is spread, bone and metal are compressed.

    Parameters
    ----------
    hu : ndarray

    Returns
    -------
    ndarray of float32, same shape
        Air is -2, water 0, 200 HU 0.8, 700 HU 1.8.

    Examples
    --------
    >>> as_densities(np.array([-1000.0, 0.0, 200.0, 700.0])).astype(float).round(2).tolist()
    [-2.0, 0.0, 0.8, 1.8]
    """
    held = np.clip(hu, -500.0, 1500.0, dtype=np.float32)
    bone = np.maximum(held - 200.0, 0.0)
    return np.asarray((held - bone) / 250.0 + bone / 500.0, np.float32)
