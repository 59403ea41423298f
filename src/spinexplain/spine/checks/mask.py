"""All that is checked about a mask against its scan, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.extents import Box
from spinexplain.geometry import apply_affine
from spinexplain.io.label_stats import LabelStats, label_stats
from spinexplain.spine.checks.discs import DISC_IN_LABEL, labels_with_discs
from spinexplain.spine.checks.facing import check_facing
from spinexplain.spine.checks.pieces import ODD_LABEL_SIZE, check_pieces
from spinexplain.spine.checks.placement import (
    NOT_ON_BONE,
    check_arches_seen,
    check_mask_placed,
)
from spinexplain.spine.checks.proportions import ODD_PROPORTIONS, check_proportions
from spinexplain.spine.checks.unlabeled_bone import labels_that_end_in_bone
from spinexplain.types import LabelMap, Vertebra, Volume

CUT_BY_MASK = "cut_by_mask"

_BORDER_REACH_MM = 20.0  # a mask's border nearer than this to the center may have cut the body


def mask_flags(
    volume: Volume,
    labels: LabelMap,
    matched: LabelMap,
    boxes: Mapping[VertebraLevel, Box],
    vertebrae: Sequence[Vertebra],
) -> dict[VertebraLevel, set[str]]:
    """Check a mask against its scan.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap
        As given.
    matched : LabelMap
        The same on the scan's grid.
    boxes : mapping of VertebraLevel to box
        Of the labels of ``matched``.
    vertebrae : sequence of Vertebra
        What was found in ``matched``.

    Returns
    -------
    dict of VertebraLevel to set of str
        Flags to add; see :mod:`spinexplain.spine.quality`.

    Raises
    ------
    GeometryError
        If the mask does not lie on the scan's bones, most labels hold a disc in their middle,
        or the orientation is wrong.
    LabelError
        If the mask is of bodies alone, and the scan has their arches in front or beside.
    """
    stats = {level: one for level, one in _by_level(matched).items() if level in boxes}
    if not check_facing(vertebrae, {level: one.center_mm for level, one in stats.items()}):
        check_arches_seen(volume, vertebrae)
    by_level = {vertebra.level: vertebra for vertebra in vertebrae}
    flags = check_pieces(matched, boxes, stats, by_level)
    for level in check_mask_placed(volume, labels, matched, boxes):
        flags.setdefault(level, set()).add(NOT_ON_BONE)
    for level in check_proportions(matched, vertebrae):
        flags.setdefault(level, set()).add(ODD_PROPORTIONS)
    for level in labels_with_discs(volume, matched, vertebrae):
        flags.setdefault(level, set()).add(DISC_IN_LABEL)
    for level in labels_that_end_in_bone(volume, matched, vertebrae):
        flags.setdefault(level, set()).add(ODD_LABEL_SIZE)
    for level in _cut_by_mask(volume, labels, matched, by_level):
        flags.setdefault(level, set()).add(CUT_BY_MASK)
    return flags


def _by_level(labels: LabelMap) -> dict[VertebraLevel, LabelStats]:
    codes = {level.verse_label: level for level in VertebraLevel}
    found = label_stats(labels).items()
    return {codes[label]: one for label, one in found if label in codes}


def _cut_by_mask(
    volume: Volume,
    labels: LabelMap,
    matched: LabelMap,
    vertebrae: Mapping[VertebraLevel, Vertebra],
) -> set[VertebraLevel]:
    """Return the levels whose label ends at a border of the mask that lies inside the scan."""
    if matched is labels:
        return set()
    cut = set()
    for axis in range(3):
        for index in (0, labels.array.shape[axis] - 1):
            face = np.take(labels.array, [index], axis=axis)
            for level, points in _on_face(labels, face, axis, index, vertebrae).items():
                beyond = _inside(volume, points, _outward_mm(labels, axis, index))
                near = np.linalg.norm(points - vertebrae[level].centroid_mm, axis=1)
                if np.any(beyond & (near < _BORDER_REACH_MM)):
                    cut.add(level)
    return cut


def _on_face(
    labels: LabelMap,
    face: np.ndarray,
    axis: int,
    index: int,
    vertebrae: Mapping[VertebraLevel, Vertebra],
) -> dict[VertebraLevel, np.ndarray]:
    """Return where labels of known levels lie in one outer plane of the mask, RAS+ mm."""
    found = {}
    for level in vertebrae:
        ijk = np.argwhere(face == level.verse_label).astype(float)
        if len(ijk):
            ijk[:, axis] = index
            found[level] = apply_affine(labels.affine, ijk)
    return found


def _outward_mm(labels: LabelMap, axis: int, index: int) -> np.ndarray:
    step = labels.affine[:3, axis] / np.linalg.norm(labels.affine[:3, axis])
    return step if index else -step


def _inside(volume: Volume, points_mm: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """Mark the points that lie over two voxels inside the scan, seen in a direction."""
    reach = 2.0 * max(volume.spacing_mm)
    ijk = apply_affine(np.linalg.inv(volume.affine), points_mm + reach * outward)
    return np.all((ijk >= 0) & (ijk <= np.array(volume.array.shape) - 1), axis=1)
