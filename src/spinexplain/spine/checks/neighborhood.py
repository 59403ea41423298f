"""Whether labels stand out better a little away from where they lie.

Osteoporotic bone is hardly denser than muscle, and masks of such people stand out little. They do
so least of all where they do not belong: what counts is that no place beside them fits better.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.extents import Box
from spinexplain.spine.checks.contrast import Contrast, label_contrasts, middle_contrast
from spinexplain.types import LabelMap, Volume

_ACROSS_MM, _ALONG_MM = 12.0, (8.0, 14.0)
_CLEARLY = 0.05  # of the share of voxels inside that are denser than one around
_SOME = 0.5  # without any contrast no place is the best


def lies_best_here(
    volume: Volume, labels: LabelMap, boxes: Mapping[VertebraLevel, Box], own: Contrast
) -> bool:
    """Say whether labels stand out clearly more than 12 mm aside, and no less than along the spine.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap
        On the scan's grid.
    boxes : mapping of VertebraLevel to box
        Of the labels.
    own : Contrast
        Median over the levels, where they lie.

    Notes
    -----
    Along the spine there is bone again: a mask moved to its discs stands out more 8 or 14 mm
    further on.
    """
    if own.share < _SOME:
        return False
    spacing = np.array(volume.spacing_mm)
    spine = int(np.argmax(np.abs(volume.affine[2, :3]) / spacing))
    for axis in range(3):
        margin = -_CLEARLY if axis == spine else _CLEARLY
        for mm in _ALONG_MM if axis == spine else (_ACROSS_MM,):
            for way in (-1, 1):
                voxels = [0, 0, 0]
                voxels[axis] = way * max(round(mm / spacing[axis]), 1)
                there = middle_contrast(label_contrasts(*_moved(volume, labels, boxes, voxels)))
                if there is not None and there.share > own.share - margin:
                    return False
    return True


def _moved(
    volume: Volume, labels: LabelMap, boxes: Mapping[VertebraLevel, Box], voxels: list[int]
) -> tuple[Volume, LabelMap, dict[VertebraLevel, Box]]:
    """Lay labels so many voxels further on; nothing is copied, what leaves the scan is cut."""
    seen = zip(voxels, volume.array.shape, strict=True)
    ends = [(max(k, 0), n + min(k, 0), max(-k, 0), n - max(k, 0)) for k, n in seen]
    hu = volume.array[tuple(slice(a, b) for a, b, _, _ in ends)]
    mask = labels.array[tuple(slice(c, d) for _, _, c, d in ends)]
    kept: dict[VertebraLevel, Box] = {}
    for level, box in boxes.items():
        i, j, k = (
            slice(max(side.start - c, 0), min(side.stop, d) - c)
            for side, (_, _, c, d) in zip(box, ends, strict=True)
        )
        if all(side.stop > side.start for side in (i, j, k)):
            kept[level] = (i, j, k)
    return Volume(hu, volume.affine), LabelMap(mask, labels.affine), kept
