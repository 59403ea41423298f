"""Labels that hold a disc: cut at the wrong place, half of one vertebra and half of the next.

A disc is soft tissue between two endplates. Along the spine's curve it shows as a valley of
the CT between two peaks a few millimeters apart. It belongs between two labels; a label with
one in its middle, and none at an end, is not one vertebra.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.geometry import apply_affine
from spinexplain.spine.curve import spine_curve
from spinexplain.spine.planes_across import across
from spinexplain.types import LabelMap, Vertebra, Volume

DISC_IN_LABEL = "disc_in_label"

_BEYOND_MM = 20.0  # of the first and last center
_HALF_DEPTH_MM, _HALF_WIDTH_MM, _GRID_MM = 7.0, 8.0, 2.0
_FORWARD_MM = 2.0  # in front of the centers, away from the vein and the canal
_VALLEY_MM = 1
_NEAREST_MM, _FURTHEST_MM = 2, 9  # of an endplate from the middle of its disc
_ENDPLATE = 0.24  # of the distance of two vertebrae; half a body is 0.35 to 0.4
_APART_MM = 6  # between the middles of two discs, at least
_MIDDLE = 0.2  # of a label's extent, at either end, where the middle of its own disc may lie
_BORDER_MM, _BORDER = 6.0, 0.2  # how far into a label, and of the shortest one's extent
_INSIDE, _MISSING = 0.6, 0.5  # of the scan's usual disc
_DEEPER = 1.5  # than what is at the end that lacks its disc
_GAP_MM, _GAP_END_MM = 4, 4  # without a label, and how far into a label its endplate may lie
_LEAST_HU = 60.0  # noise makes valleys of 50 HU in thick slices
_SEEN = 0.6  # of the discs that a spine of so many labels has; else noise hides them
_CLEAR_HU = 90.0  # discs that deep are not noise, even where most labels hold one
_USUAL = 0.75  # of the labels' deepest discs lie under the scan's usual one
_FEWEST_LEVELS = 3
_SHORTEST_MM = 6.0
_METAL_HU, _METAL_SHARE = 2000.0, 0.1


@dataclass(frozen=True, eq=False)
class SpineProfile:
    """The CT and its labels along the spine's curve, in steps of 1 mm.

    Parameters
    ----------
    s_mm : ndarray, shape (n,)
        Arc length, cranial to caudal.
    hu : ndarray, shape (n,)
        Mean of the middle three fifths over a plane of 14 by 16 mm across the bodies; NaN beyond
        the scan, and where metal fills a tenth of the plane.
    label : ndarray of int, shape (n,)
        The commonest label of the plane; 0 where most of it has none.
    spacing_mm : ndarray, shape (n,)
        Distance of the two centers around, or next to, each place.
    """

    s_mm: np.ndarray
    hu: np.ndarray
    label: np.ndarray
    spacing_mm: np.ndarray

    def discs(self) -> np.ndarray:
        """Return by how many HU each place is lower than the lower of two peaks beside it.

        How far the endplates of a disc may lie from its middle grows with the distance of the
        vertebrae: the endplates of a small body must not be taken for those of a disc.
        """
        depths = {far: self._depth(far) for far in range(_NEAREST_MM + 1, _FURTHEST_MM + 1)}
        reach = np.clip(np.rint(_ENDPLATE * self.spacing_mm), min(depths), max(depths))
        return np.choose(reach.astype(int) - min(depths), list(depths.values()))

    def _depth(self, far: int) -> np.ndarray:
        rows = _windows(np.where(_is_peak(self.hu), self.hu, -inf), far, -inf)
        above, below = rows[:, : far - _NEAREST_MM + 1], rows[:, far + _NEAREST_MM :]
        lower = np.minimum(above.max(axis=1), below.max(axis=1))
        valley = _windows(self.hu, _VALLEY_MM, np.nan).mean(axis=1)
        depth = np.where(np.isfinite(lower), lower - valley, 0.0)
        return np.nan_to_num(depth, nan=0.0)


def _windows(values: np.ndarray, reach: int, beyond: float) -> np.ndarray:
    padded = np.pad(values, reach, constant_values=beyond)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _is_peak(hu: np.ndarray) -> np.ndarray:
    """Mark the tops: the shoulder of an endplate further away is none."""
    beside = _windows(hu, 1, np.nan)
    return (hu >= beside[:, 0]) & (hu >= beside[:, 2])


def spine_profile(
    volume: Volume, labels: LabelMap | None, vertebrae: Sequence[Vertebra]
) -> SpineProfile:
    """Sample CT and labels across the bodies along the spine's curve.

    Parameters
    ----------
    volume : Volume
        HU.
    labels : LabelMap or None
        On the scan's grid. Without one, every plane has the label of the nearest center.
    vertebrae : sequence of Vertebra
        Two or more, in cranio-caudal order, with the centers found in ``labels``.
    """
    curve = spine_curve(vertebrae)
    s = np.arange(-_BEYOND_MM, curve.length_mm + _BEYOND_MM, 1.0)
    forward = np.arange(-_HALF_DEPTH_MM, _HALF_DEPTH_MM + 0.1, _GRID_MM) + _FORWARD_MM
    left = np.arange(-_HALF_WIDTH_MM, _HALF_WIDTH_MM + 0.1, _GRID_MM)
    points = across(curve, s, forward, left).reshape(len(s), -1, 3)
    ijk = np.rint(apply_affine(np.linalg.inv(volume.affine), points)).astype(int)
    inside = np.all((ijk >= 0) & (ijk < volume.array.shape), axis=-1)
    at = tuple(np.where(inside[..., None], ijk, 0).reshape(-1, 3).T)
    hu = np.where(inside, volume.array[at].reshape(inside.shape), np.nan).astype(float)
    metal = np.mean(hu > _METAL_HU, axis=1) > _METAL_SHARE
    label = _nearest(curve.knots_s_mm, s, vertebrae)
    if labels is not None:
        shown = np.where(inside, labels.array[at].reshape(inside.shape), 0)
        label = np.array([_commonest(row) for row in shown])
    known = inside.all(axis=1)
    middle = np.full(len(s), np.nan)
    middle[known] = np.mean(np.sort(hu[known], axis=1)[:, _trimmed(hu.shape[1])], axis=1)
    middle[metal] = np.nan
    middle[1:-1] = (middle[:-2] + 2 * middle[1:-1] + middle[2:]) / 4
    gaps = np.diff(curve.knots_s_mm)
    spacing = np.interp(s, curve.knots_s_mm[:-1] + gaps / 2, gaps)
    return SpineProfile(s, middle, label, spacing)


def _nearest(knots_mm: np.ndarray, s_mm: np.ndarray, vertebrae: Sequence[Vertebra]) -> np.ndarray:
    """Label every plane after the center that is nearest along the curve, up to 20 mm away."""
    codes = np.array([vertebra.level.verse_label for vertebra in vertebrae])
    away = np.abs(s_mm[:, None] - np.asarray(knots_mm))
    return np.where(away.min(axis=1) <= _BEYOND_MM, codes[away.argmin(axis=1)], 0)


def _trimmed(count: int) -> slice:
    """Leave the highest and lowest fifth out: calcified rims, gas, noise."""
    return slice(count // 5, count - count // 5)


def _commonest(row: np.ndarray) -> int:
    counts = np.bincount(row.astype(np.int64))
    return int(counts.argmax()) if counts.max() * 2 >= len(row) else 0


@dataclass(frozen=True)
class _Label:
    """A label's extent along the profile, and the discs in its middle and at its ends."""

    level: VertebraLevel
    inside: float
    above: float
    below: float

    @property
    def deepest(self) -> float:
        """The deepest disc in it or at a border that it shares."""
        return max(end for end in (self.inside, self.above, self.below) if end < inf)


def labels_with_discs(
    volume: Volume, labels: LabelMap, vertebrae: Sequence[Vertebra]
) -> set[VertebraLevel]:
    """Find the levels whose label is cut at the wrong place.

    Parameters
    ----------
    volume : Volume
        HU.
    labels : LabelMap
        On the scan's grid.
    vertebrae : sequence of Vertebra
        With the centers found in ``labels``.

    Returns
    -------
    set of VertebraLevel
        Labels with a disc in their middle and none at an end, and the neighbor that lacks
        the same one. Empty where fewer than three levels can be compared, or noise hides the discs.

    Raises
    ------
    GeometryError
        If most of the labels are, and no disc lies between two labels.

    Notes
    -----
    A disc counts by how far it is below the lower of its endplates, against the scan's other
    discs, so that neither density nor noise decides.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    if len(ordered) < _FEWEST_LEVELS:
        return set()
    found = _measured(spine_profile(volume, labels, ordered), ordered)
    wrong, usual = _wrongly_cut(found)
    if not wrong:
        return set()
    wrong_and_partners = wrong | _partners(found, wrong, usual)
    if 2 * len(wrong_and_partners) <= len(found):
        return wrong_and_partners
    # most labels at once are cut by one shift, which leaves no disc between two labels
    if len(wrong) >= _FEWEST_LEVELS and not _between(found, usual):
        inside = float(np.median([one.inside for one in found if one.level in wrong]))
        raise GeometryError(
            f"{len(wrong)} of {len(found)} labels hold a disc in their middle ({inside:.0f} HU "
            "below the endplates beside it) and none at an end; expected discs between labels. "
            "The mask is shifted by half a vertebra or cut at the wrong places: check it "
            "against the scan."
        )
    return wrong_and_partners if usual >= _CLEAR_HU else set()


def check_centers_in_bodies(volume: Volume, vertebrae: Sequence[Vertebra]) -> None:
    """Refuse centers that lie in the discs, half a vertebra away from their bodies.

    Parameters
    ----------
    volume : Volume
        HU.
    vertebrae : sequence of Vertebra

    Raises
    ------
    LabelError
        If most centers, and three or more, lie in discs, and hardly any disc lies between two.

    Notes
    -----
    As :func:`labels_with_discs`, with labels that end halfway between two centers.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    if len(ordered) < _FEWEST_LEVELS:
        return
    found = _measured(spine_profile(volume, None, ordered), ordered)
    wrong, usual = _wrongly_cut(found)
    most = 2 * len(wrong) > len(found) and len(wrong) >= _FEWEST_LEVELS
    if most and _between(found, usual) <= len(found) // 4:
        inside = float(np.median([one.inside for one in found if one.level in wrong]))
        raise LabelError(
            f"{len(wrong)} of {len(found)} centers lie in discs ({inside:.0f} HU below the "
            "endplates beside them); expected centers of vertebral bodies. They are shifted by "
            "half a vertebra along the spine: check them against the scan."
        )


def _wrongly_cut(found: Sequence[_Label]) -> tuple[set[VertebraLevel], float]:
    """Return the levels that are cut at the wrong place, and how deep a usual disc is, HU."""
    if len(found) < _FEWEST_LEVELS:
        return set(), 0.0
    usual = float(np.quantile([one.deepest for one in found], _USUAL))
    if usual < _LEAST_HU:
        return set(), usual
    wrong = {one.level for one in found if _is_cut(one, usual)}
    return (wrong if _discs_are_seen(found, wrong, usual) else set()), usual


def _discs_are_seen(found: Sequence[_Label], wrong: set[VertebraLevel], usual: float) -> bool:
    """Return whether most discs show, between labels or in a wrong one.

    In a noisy scan with thick slices they do not, and a valley in a fractured body says nothing.
    """
    return _between(found, usual) + len(wrong) >= _SEEN * (len(found) - 1)


def _between(found: Sequence[_Label], usual: float) -> int:
    return sum(upper.below >= _MISSING * usual for upper, _ in pairwise(found))


def _is_cut(one: _Label, usual: float) -> bool:
    missing = min(one.above, one.below)
    deep = one.inside >= max(_INSIDE * usual, _DEEPER * missing)
    return deep and missing < _MISSING * usual


def _partners(
    found: Sequence[_Label], wrong: set[VertebraLevel], usual: float
) -> set[VertebraLevel]:
    """Return the neighbors that share a border without a disc with a wrong label."""
    partners = set()
    for upper, lower in pairwise(found):
        if upper.below < _MISSING * usual and {upper.level, lower.level} & wrong:
            partners |= {upper.level, lower.level}
    return partners - wrong


def _measured(profile: SpineProfile, ordered: Sequence[Vertebra]) -> list[_Label]:
    peaks = _peaks(profile.discs())
    ends = {}
    for vertebra in ordered:
        at = np.flatnonzero(profile.label == vertebra.level.verse_label)
        if len(at) and at[-1] - at[0] >= _SHORTEST_MM:
            ends[vertebra.level] = (int(at[0]), int(at[-1]))
    levels = list(ends)
    reach = min(_BORDER_MM, _BORDER * min((b - a for a, b in ends.values()), default=0))
    # what lies beyond the first and last label is not theirs to lack
    shared = [
        max(_at_border(peaks, ends[a], ends[b], reach), _in_gap(profile.hu, ends[a], ends[b]))
        for a, b in pairwise(levels)
    ]
    borders = [inf, *shared, inf]
    return [
        _Label(level, _in_middle(peaks, *ends[level]), above, below)
        for level, (above, below) in zip(levels, pairwise(borders), strict=True)
    ]


def _peaks(depth: np.ndarray) -> np.ndarray:
    """Keep the deepest place of every disc, 0 elsewhere."""
    reach = _APART_MM
    return np.where(depth >= _windows(depth, reach, 0.0).max(axis=1), depth, 0.0)


def _in_middle(peaks: np.ndarray, first: int, last: int) -> float:
    margin = max(round(_MIDDLE * (last - first)), 3)
    return float(peaks[first + margin : last - margin + 1].max(initial=0.0))


def _at_border(
    peaks: np.ndarray, upper: tuple[int, int], lower: tuple[int, int], reach: float
) -> float:
    """Return the deepest disc between two labels, or a little into either."""
    first, last = sorted((upper[1], lower[0]))
    start = max(int(first - reach), 0)
    return float(peaks[start : int(last + reach) + 1].max(initial=0.0))


def _in_gap(hu: np.ndarray, upper: tuple[int, int], lower: tuple[int, int]) -> float:
    """Return the depth of what lies without a label between two endplates, however far apart.

    Between crushed bodies discs are wide; a gap inside a body has no endplates at its ends.
    """
    first, last = upper[1], lower[0]
    if last - first <= _GAP_MM:
        return 0.0
    ends = (hu[first - _GAP_END_MM : first + 2], hu[last - 1 : last + _GAP_END_MM + 1])
    valley = np.convolve(hu[first + 1 : last], np.full(3, 1 / 3), "valid")
    depth = min(end.max() for end in ends) - valley.min()
    return float(np.nan_to_num(depth, nan=0.0))
