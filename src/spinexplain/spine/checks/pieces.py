"""Labels that cover several bones, half a bone, or a bone with a gap in it.

The largest part of a label is never taken for the vertebra in silence: sizes are compared
with those of the other levels, and parts are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.extents import Box
from spinexplain.geometry import apply_affine
from spinexplain.io.label_stats import LabelStats
from spinexplain.io.level_sizes import usual_volume_mm3
from spinexplain.spine.checks.body_extents import (
    body_extents,
    height_shares,
    partly_labeled,
    spine_axes,
)
from spinexplain.types import LabelMap, Vertebra

LABEL_IN_PIECES = "label_in_pieces"
SEVERAL_BONES = "several_bones"
ODD_LABEL_SIZE = "odd_label_size"

# Against the other levels, after the usual sizes: 0.70 to 1.33 in the phantoms and real
# masks of the tests, crushed bodies included.
_SEVERAL = 1.6
_ODD = (0.6, 1.42)
_MIXED = (0.78, 1.2)  # of two neighbors, one has too little and the other too much
_FEWEST_OTHERS = 2
_PIECE_SHARE = 0.08
_PART_SPACING_MM = 1.4
_CORE_MM = 4.0  # around a body's center, in the plane between its endplates
_CORE_GAP = 0.12


def check_pieces(
    labels: LabelMap,
    boxes: Mapping[VertebraLevel, Box],
    stats: Mapping[VertebraLevel, LabelStats],
    vertebrae: Mapping[VertebraLevel, Vertebra],
) -> dict[VertebraLevel, set[str]]:
    """Find the levels whose label is not one whole bone.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels.
    boxes, stats : mapping of VertebraLevel to box, to LabelStats
        Of the labels.
    vertebrae : mapping of VertebraLevel to Vertebra
        With the centers found in the mask.

    Returns
    -------
    dict of VertebraLevel to set of str
        ``several_bones``, ``odd_label_size``, ``label_in_pieces``; only levels with any.
    """
    ordered = sorted(vertebrae.values(), key=lambda vertebra: vertebra.level.order)
    heights = height_shares(body_extents(labels, ordered))
    found = {level: set(flags) for level, flags in _by_size(stats, heights).items()}
    for level in partly_labeled(labels, ordered):
        found.setdefault(level, set()).add(ODD_LABEL_SIZE)
    axes = spine_axes(ordered)
    for level, box in boxes.items():
        gap = level in axes and _has_gap(labels, vertebrae[level], *axes[level][1:])
        if gap or _in_pieces(labels, level, box):
            found.setdefault(level, set()).add(LABEL_IN_PIECES)
    return {level: flags for level, flags in found.items() if flags}


def size_ratios(stats: Mapping[VertebraLevel, LabelStats]) -> dict[VertebraLevel, float]:
    """Return how large each label is against the others, after the usual sizes of levels.

    Labels at the border of the mask, which may be cut, are left out; so is everything
    where fewer than two others are left to compare with.
    """
    raw = {
        level: one.volume_mm3 / usual_volume_mm3(level)
        for level, one in stats.items()
        if not one.at_border
    }
    if len(raw) <= _FEWEST_OTHERS:
        return {}
    return {
        level: ratio / float(np.median([other for key, other in raw.items() if key is not level]))
        for level, ratio in raw.items()
    }


def _by_size(
    stats: Mapping[VertebraLevel, LabelStats], heights: Mapping[VertebraLevel, float]
) -> dict[VertebraLevel, set[str]]:
    """Return which labels have too much bone, or less than their height leaves them.

    A crushed body holds less, and is whole; half a body leaves a gap to its neighbor.
    """
    ratios = size_ratios(stats)
    lowered = {level: float(np.clip(heights.get(level, 1.0), 0.2, 1.0)) for level in ratios}
    found: dict[VertebraLevel, set[str]] = {level: set() for level in ratios}
    for level, ratio in ratios.items():
        if ratio > _SEVERAL:
            found[level].add(SEVERAL_BONES)
        elif ratio > _ODD[1] or ratio < _ODD[0] * lowered[level]:
            found[level].add(ODD_LABEL_SIZE)
    for upper, lower in pairwise(sorted(ratios, key=lambda level: level.order)):
        less, more = sorted((ratios[upper], ratios[lower]))
        if less < _MIXED[0] and more > _MIXED[1]:
            found[upper].add(ODD_LABEL_SIZE)
            found[lower].add(ODD_LABEL_SIZE)
    return found


def _in_pieces(labels: LabelMap, level: VertebraLevel, box: Box) -> bool:
    """Whether a second part holds 8 % of the label or more.

    A bone that the border cuts falls into parts there: those on the border do not count.
    """
    steps = np.maximum(1, _PART_SPACING_MM // np.array(labels.spacing_mm)).astype(int)
    crop = tuple(
        slice(side.start, side.stop, int(step)) for side, step in zip(box, steps, strict=True)
    )
    inside = labels.array[crop] == level.verse_label
    parts, count = ndimage.label(inside, np.ones((3, 3, 3)))
    if count < 2:
        return False
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    total, main = sizes.sum(), int(sizes.argmax())
    sizes[[main, *_on_border(parts, box, labels.array.shape)]] = 0
    return bool(sizes.max() >= _PIECE_SHARE * total)


def _on_border(parts: np.ndarray, box: Box, shape: tuple[int, ...]) -> list[int]:
    """Return the numbers of the parts that lie on the border of the mask."""
    found: set[int] = set()
    for axis, (side, length) in enumerate(zip(box, shape, strict=True)):
        if side.start == 0:
            found |= set(np.unique(np.take(parts, 0, axis)).tolist())
        if side.stop == length:
            found |= set(np.unique(np.take(parts, -1, axis)).tolist())
    return sorted(found)


def _has_gap(labels: LabelMap, vertebra: Vertebra, left: np.ndarray, back: np.ndarray) -> bool:
    """Whether a disc in the middle of the body, along its endplates, is not wholly labeled."""
    line = np.arange(-_CORE_MM, _CORE_MM + 0.1, 1.0)
    u, v = (grid.ravel()[:, None] for grid in np.meshgrid(line, line))
    points = (u * left + v * back)[np.hypot(u, v).ravel() <= _CORE_MM]
    at = apply_affine(np.linalg.inv(labels.affine), points + np.array(vertebra.centroid_mm))
    ijk = np.rint(at).astype(int)
    inside = np.all((ijk >= 0) & (ijk < labels.array.shape), axis=1)
    if not inside.any():
        return False
    values = labels.array[tuple(ijk[inside].T)]
    return bool(np.mean(values == 0) > _CORE_GAP)
