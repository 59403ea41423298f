"""The oriented crop that the body network sees of one vertebra."""

from __future__ import annotations

from collections.abc import Sequence

from spinexplain.geometry import BoxFrame
from spinexplain.spine.reformat import box_frame
from spinexplain.types import Vertebra

BODY_SHAPE = (40, 48, 48)
"""Samples along caudal, posterior, left."""

BODY_STEP_MM = 1.25


def body_frame(vertebrae: Sequence[Vertebra], vertebra: Vertebra) -> BoxFrame:
    """Set the crop on one body, upright along the curve through all of them.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        All of the scan.
    vertebra : Vertebra
        One of them.

    Examples
    --------
    >>> from spinexplain.anatomy import VertebraLevel
    >>> one = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    >>> body_frame([one], one).to_mm([0, 23.5, 23.5]).tolist()
    [0.0, 0.0, 24.375]
    """
    return box_frame(vertebrae, vertebra, BODY_SHAPE, BODY_STEP_MM)
