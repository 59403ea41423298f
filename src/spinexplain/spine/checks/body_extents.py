"""Bodies of which a part was not labeled: too narrow, too shallow, or far from their neighbor.

A fracture lowers a body; it does not make it narrower or shallower, and it does not leave a
gap of bone's size to the next body. Half a label does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.io.level_sizes import usual_step_mm
from spinexplain.spine.checks.presence import regular_levels_between
from spinexplain.spine.norms import norm_heights_mm
from spinexplain.types import LabelMap, Vertebra

# Against the mean of both neighbors: 0.87 to 1.28 in real masks and phantoms.
_NARROWEST = 0.65
_WIDEST_DISC = 2.0  # times the usual one of the scan
_WIDEST_DISC_OF_STEP = 0.59  # of the usual distance of the two levels: 20 mm in L3; 18 in a phantom
_REACH_MM, _STEP_MM, _BESIDE_MM = 40.0, 0.5, 4.0


@dataclass(frozen=True)
class BodyExtent:
    """How far one label reaches from its center, mm: whole width and depth, up, down."""

    width_mm: float
    depth_mm: float
    up_mm: float
    down_mm: float


def partly_labeled(labels: LabelMap, vertebrae: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Find levels whose body is labeled in part only.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels.
    vertebrae : sequence of Vertebra
        With the centers found in ``labels``.

    Returns
    -------
    set of VertebraLevel
        Bodies under 0.65 of the width or depth of both neighbors' mean; and of two bodies
        further apart than 0.59 of the usual step of their levels (20 mm in L3, 12 in T6) and
        than twice the scan's usual disc, the lower one for its level.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    extents = body_extents(labels, ordered)
    found = set()
    for before, own, after in zip(ordered, ordered[1:], ordered[2:], strict=False):
        beside = (extents[before.level], extents[after.level])
        width = 2 * extents[own.level].width_mm / max(sum(one.width_mm for one in beside), 1e-6)
        depth = 2 * extents[own.level].depth_mm / max(sum(one.depth_mm for one in beside), 1e-6)
        if min(width, depth) < _NARROWEST:
            found.add(own.level)
    pairs = [
        (upper, lower)
        for upper, lower in pairwise(ordered)
        if not regular_levels_between(upper.level, lower.level)
    ]
    discs_mm = np.array([_disc_mm(extents, *pair) for pair in pairs])
    usual = _WIDEST_DISC * float(np.median(discs_mm)) if pairs else 0.0
    for (upper, lower), disc_mm in zip(pairs, discs_mm, strict=True):
        widest = _WIDEST_DISC_OF_STEP * usual_step_mm(upper.level, lower.level)
        if disc_mm > max(widest, usual):
            found.add(min((upper.level, lower.level), key=lambda level: _height(extents, level)))
    return found


def _disc_mm(
    extents: Mapping[VertebraLevel, BodyExtent], upper: Vertebra, lower: Vertebra
) -> float:
    distance = float(np.linalg.norm(np.subtract(upper.centroid_mm, lower.centroid_mm)))
    return distance - extents[upper.level].down_mm - extents[lower.level].up_mm


def _height(extents: Mapping[VertebraLevel, BodyExtent], level: VertebraLevel) -> float:
    norm = norm_heights_mm(level)
    usual = 15.0 if norm is None else float(norm[1])
    return (extents[level].up_mm + extents[level].down_mm) / usual


def height_shares(extents: Mapping[VertebraLevel, BodyExtent]) -> dict[VertebraLevel, float]:
    """Return how high each body is against the median of all, after the usual heights."""
    heights = {level: _height(extents, level) for level in extents}
    usual = float(np.median(list(heights.values()))) if heights else 0.0
    return {level: height / usual if usual else 1.0 for level, height in heights.items()}


def body_extents(labels: LabelMap, ordered: Sequence[Vertebra]) -> dict[VertebraLevel, BodyExtent]:
    """Measure how far each label reaches from its center, along the spine and across it.

    Medians over lines 4 mm apart; the spine's direction is that from neighbor to neighbor.
    """
    axes = spine_axes(ordered)
    return {v.level: _extent(labels, v, *axes[v.level]) for v in ordered}


def spine_axes(
    ordered: Sequence[Vertebra],
) -> dict[VertebraLevel, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the unit vectors caudal, left and posterior at each level, RAS+.

    Caudal is the direction from the neighbor above to the one below.
    """
    centers = np.array([vertebra.centroid_mm for vertebra in ordered]).reshape(-1, 3)
    last = len(ordered) - 1
    found = {}
    for i, vertebra in enumerate(ordered):
        along = centers[min(i + 1, last)] - centers[max(i - 1, 0)]
        caudal = along / np.linalg.norm(along) if along.any() else np.array([0.0, 0.0, -1.0])
        back = np.cross(caudal, (-1.0, 0.0, 0.0))
        back /= max(float(np.linalg.norm(back)), 1e-6)
        found[vertebra.level] = (caudal, np.cross(back, caudal), back)
    return found


def _extent(
    labels: LabelMap, vertebra: Vertebra, caudal: np.ndarray, left: np.ndarray, back: np.ndarray
) -> BodyExtent:
    to_voxel = np.linalg.inv(labels.affine)

    def reach(direction: np.ndarray, beside: Sequence[np.ndarray]) -> float:
        starts = [k * _BESIDE_MM * one for one in beside for k in (-1, 1)]
        runs = [
            _run_mm(labels, to_voxel, vertebra, start, direction)
            for start in [np.zeros(3), *starts]
        ]
        return float(np.median(runs))

    return BodyExtent(
        width_mm=reach(left, [back]) + reach(-left, [back]),
        depth_mm=reach(back, [left]) + reach(-back, [left]),
        up_mm=reach(-caudal, [left, back]),
        down_mm=reach(caudal, [left, back]),
    )


def _run_mm(
    labels: LabelMap,
    to_voxel: np.ndarray,
    vertebra: Vertebra,
    start_mm: np.ndarray,
    direction: np.ndarray,
) -> float:
    """Return how far the level's label goes on from a point beside its center."""
    along = np.arange(0.0, _REACH_MM, _STEP_MM)
    points = np.array(vertebra.centroid_mm) + start_mm + along[:, None] * direction
    ijk = np.rint(apply_affine(to_voxel, points)).astype(int)
    known = np.all((ijk >= 0) & (ijk < labels.array.shape), axis=1)
    inside = np.zeros(len(along), bool)
    inside[known] = labels.array[tuple(ijk[known].T)] == vertebra.level.verse_label
    return float(along[-1] if inside.all() else along[int(np.argmin(inside))])
