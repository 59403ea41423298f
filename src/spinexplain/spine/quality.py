"""What to know about a vertebra before trusting what is said about it.

The vocabulary of flags; a flag *stops* where the level cannot be assessed, *limits*
where sizes or grades may be off, *informs* otherwise.

=====================  ========  ====================================================
flag                   severity  meaning
=====================  ========  ====================================================
touches_border         stops     the body reaches the border of the scan or its mask (or,
                                 without a mask, its center lies within 8 mm of it)
outside_scan           stops     the center lies outside the scan
metal                  stops     more than 2 % of the body is above 2500 HU
level_inversion        stops     its height in the scan contradicts the order of levels
centers_too_close      stops     under 8 mm to a neighbor's center
several_bones          stops     its label is over 1.6 times as large as the others'
centroid_outside_mask  limits    the given centroid lies outside the level's own mask
not_on_bone            limits    its label or center does not stand out from what is around
odd_label_size         limits    its label has too little or too much bone against the others
label_in_pieces        limits    its label falls into parts, or has a gap in the body
disc_in_label          limits    its label is cut at the wrong place: a disc lies in its middle,
                                 or its neighbor's label has part of it; not measured
odd_proportions        limits    the bodies are far too flat or tall for their width and depth
cut_by_mask            limits    its label ends at the border of the mask, inside the scan
center_off_body        limits    the middle of its body lies over 8 mm from the given center,
                                 6 mm by a mask, or two centers share a body; not moved there
off_curve              limits    over 12 mm off the curve through the other centers, and more
                                 than 3 mm of noise in every center explain
thick_slices           limits    a voxel is longer than 3 mm
gantry_tilt            limits    the scan's axes are over 0.5 degrees off a right angle
not_hounsfield         limits    no air and no fat in the values, as in MR or CT without offset;
                                 or another scale: much is lighter than air, or no bone
orientation_unknown    limits    the file does not say how the scan lies in the patient
sform_qform_differ     limits    the file states two different places of the scan
rescale_assumed        limits    the file does not say how values become HU
slices_odd             limits    planes of the scan are blank, repeated or out of order
computed_values        limits    a scanner of several energies computed the values
fold                   limits    its sheet folds: the centers turn sideways within less than
                                 a body's half width, or upwards, and noise does not explain it
level_uncertain        limits    the localizer named it and is not sure of the name
level_gap              informs   a level in between, for which there is room, is missing
body_upper_thoracic    informs   not measured: own masks of T1-T3 are too coarse
body_unsure            informs   not measured: the localizer is not sure of the body's edge
body_ragged            informs   not measured: the localizer's mask has a ragged edge
body_cut               informs   not measured: the localizer's mask leaves the scan
transitional_level     informs   T13 or L6: level names and norms are uncertain
=====================  ========  ====================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.io.scan_flags import (
    COMPUTED_VALUES,
    ORIENTATION_UNKNOWN,
    RESCALE_ASSUMED,
    SFORM_QFORM_DIFFER,
    SLICES_ODD,
)
from spinexplain.io.tissue_peaks import hounsfield_doubt
from spinexplain.spine.checks.course import folded, off_course
from spinexplain.spine.checks.discs import DISC_IN_LABEL
from spinexplain.spine.checks.mask import CUT_BY_MASK
from spinexplain.spine.checks.pieces import LABEL_IN_PIECES, ODD_LABEL_SIZE, SEVERAL_BONES
from spinexplain.spine.checks.placement import NOT_ON_BONE
from spinexplain.spine.checks.presence import levels_between
from spinexplain.spine.checks.proportions import ODD_PROPORTIONS
from spinexplain.types import LabelMap, Vertebra, Volume

TOUCHES_BORDER = "touches_border"
OUTSIDE_SCAN = "outside_scan"
METAL = "metal"
LEVEL_INVERSION = "level_inversion"
CENTERS_TOO_CLOSE = "centers_too_close"
CENTROID_OUTSIDE_MASK = "centroid_outside_mask"
CENTER_OFF_BODY = "center_off_body"
OFF_CURVE = "off_curve"
THICK_SLICES = "thick_slices"
GANTRY_TILT = "gantry_tilt"
NOT_HOUNSFIELD = "not_hounsfield"
FOLD = "fold"
LEVEL_UNCERTAIN = "level_uncertain"
LEVEL_GAP = "level_gap"
TRANSITIONAL_LEVEL = "transitional_level"
BODY_UPPER_THORACIC = "body_upper_thoracic"
BODY_UNSURE = "body_unsure"
BODY_RAGGED = "body_ragged"
BODY_CUT = "body_cut"

FLAGS = (
    OUTSIDE_SCAN,
    TOUCHES_BORDER,
    LEVEL_INVERSION,
    CENTERS_TOO_CLOSE,
    SEVERAL_BONES,
    METAL,
    CENTROID_OUTSIDE_MASK,
    NOT_ON_BONE,
    ODD_LABEL_SIZE,
    LABEL_IN_PIECES,
    DISC_IN_LABEL,
    ODD_PROPORTIONS,
    CUT_BY_MASK,
    CENTER_OFF_BODY,
    OFF_CURVE,
    THICK_SLICES,
    GANTRY_TILT,
    NOT_HOUNSFIELD,
    ORIENTATION_UNKNOWN,
    SFORM_QFORM_DIFFER,
    RESCALE_ASSUMED,
    SLICES_ODD,
    COMPUTED_VALUES,
    FOLD,
    LEVEL_UNCERTAIN,
    LEVEL_GAP,
    TRANSITIONAL_LEVEL,
    BODY_UPPER_THORACIC,
    BODY_UNSURE,
    BODY_RAGGED,
    BODY_CUT,
)
"""The whole vocabulary, the gravest first."""

STOPPING = {
    OUTSIDE_SCAN: "its center lies outside the scan",
    TOUCHES_BORDER: "it is cut off by the border of the scan",
    LEVEL_INVERSION: "the order of the levels contradicts their positions",
    CENTERS_TOO_CLOSE: "its center is too close to a neighbor's",
    SEVERAL_BONES: "its label covers several bones",
    METAL: "there is metal in the body",
}

_CLOSEST_CENTERS_MM = 8.0
_CLOSEST_BORDER_MM = 8.0
_THICK_MM = 3.001  # a header's 3 mm may read 3.0000001
_TILT_DEGREES = 0.5
_METAL_HU = 2500
_METAL_SHARE = 0.02
_BODY_RADIUS_MM = 18.0
_TRANSITIONAL = (VertebraLevel.T13, VertebraLevel.L6)


def quality_flags(
    volume: Volume, vertebrae: Sequence[Vertebra], labels: LabelMap | None = None
) -> dict[VertebraLevel, tuple[str, ...]]:
    """Collect what limits or stops the assessment of each vertebra.

    Parameters
    ----------
    volume : Volume
        The scan in HU.
    vertebrae : sequence of Vertebra
        All of the scan; flags they carry already are kept.
    labels : LabelMap, optional
        VerSe labels on the scan's grid; metal is then looked for on the bone only.

    Returns
    -------
    mapping of VertebraLevel to tuple of str
        Names from ``FLAGS``, the gravest first; one entry per vertebra.

    Examples
    --------
    >>> air = np.full((40, 40, 40), -1000, np.int16)
    >>> scan = Volume(air, np.diag([2.0, 2.0, 4.0, 1.0]))
    >>> quality_flags(scan, [Vertebra(VertebraLevel.L6, (40, 40, 80))])
    {<VertebraLevel.L6: 'L6'>: ('thick_slices', 'transitional_level')}
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    found = {vertebra.level: set(vertebra.flags) for vertebra in ordered}
    for flag, levels in _order_flags(ordered).items():
        for level in levels:
            found[level].add(flag)
    of_scan = _scan_flags(volume)
    for vertebra in ordered:
        seen = {
            OUTSIDE_SCAN: _depth_mm(volume, vertebra) < 0,
            TOUCHES_BORDER: labels is None
            and 0 <= _depth_mm(volume, vertebra) < _CLOSEST_BORDER_MM,
            METAL: _has_metal(volume, vertebra, labels),
            TRANSITIONAL_LEVEL: vertebra.level in _TRANSITIONAL,
        }
        found[vertebra.level] |= of_scan | {flag for flag, present in seen.items() if present}
    return {level: tuple(sorted(flags, key=_rank)) for level, flags in found.items()}


def _scan_flags(volume: Volume) -> set[str]:
    """Return what concerns all vertebrae of a scan alike."""
    seen = {
        THICK_SLICES: max(volume.spacing_mm) > _THICK_MM,
        GANTRY_TILT: tilt_degrees(volume) > _TILT_DEGREES,
        NOT_HOUNSFIELD: volume.array.size > 0 and hounsfield_doubt(volume.array) != "",
    }
    return {flag for flag, present in seen.items() if present} | set(volume.flags)


def tilt_degrees(volume: Volume) -> float:
    """Return how far two axes of a scan are from a right angle at most, degrees.

    Examples
    --------
    >>> sheared = np.eye(4)
    >>> sheared[1, 2] = np.tan(np.radians(15))
    >>> round(tilt_degrees(Volume(np.zeros((2, 2, 2), np.int16), sheared)), 3)
    15.0
    """
    axes = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    cosines = np.abs(axes.T @ axes - np.diag(np.diag(axes.T @ axes)))
    return float(np.degrees(np.arcsin(min(cosines.max(), 1.0))))


def _rank(flag: str) -> int:
    return FLAGS.index(flag) if flag in FLAGS else len(FLAGS)


def _order_flags(ordered: Sequence[Vertebra]) -> dict[str, set[VertebraLevel]]:
    """Return the levels concerned by each flag that several vertebrae decide together."""
    centers = np.array([vertebra.centroid_mm for vertebra in ordered]).reshape(-1, 3)
    levels = [vertebra.level for vertebra in ordered]
    close: set[VertebraLevel] = set()
    for (upper, above), (lower, below) in pairwise(zip(levels, centers, strict=True)):
        if np.linalg.norm(above - below) < _CLOSEST_CENTERS_MM:
            close |= {upper, lower}
    gap = _beside(levels, levels_between(ordered)[0])
    found = {CENTERS_TOO_CLOSE: close, LEVEL_GAP: gap, LEVEL_INVERSION: _out_of_order(ordered)}
    if not close and not found[LEVEL_INVERSION]:
        found |= {OFF_CURVE: off_course(ordered), FOLD: folded(ordered)}
    return found


def _beside(levels: Sequence[VertebraLevel], missing: set[VertebraLevel]) -> set[VertebraLevel]:
    """Return the levels next to a place where one is missing."""
    return {
        level
        for pair in pairwise(levels)
        if any(pair[0].order < one.order < pair[1].order for one in missing)
        for level in pair
    }


def _out_of_order(ordered: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Return the levels that do not lie between those above and below.

    Of a bone that the border cuts only a process may be left: it speaks against no other.
    """
    heights = np.array([vertebra.centroid_mm[2] for vertebra in ordered])
    cut = np.array([TOUCHES_BORDER in vertebra.flags for vertebra in ordered], bool)
    whole = np.flatnonzero(~cut)
    kept = whole[sorted(_in_every_longest_descent(heights[whole]))]
    fitting = set(kept.tolist())
    for i in np.flatnonzero(cut).tolist():
        above, below = heights[kept[kept < i]], heights[kept[kept > i]]
        if np.all(above > heights[i]) and np.all(below < heights[i]):
            fitting.add(i)
    return {vertebra.level for i, vertebra in enumerate(ordered) if i not in fitting}


def _in_every_longest_descent(heights: np.ndarray) -> set[int]:
    """Return the places that every longest falling row of heights has.

    Of two levels that are exchanged either could be the wrong one, so neither is among them.
    """
    before = _descents_to(heights)
    after = _descents_to(-heights[::-1])[::-1]
    longest = before + after - 1 == before.max(initial=0)
    at = np.bincount(before[longest], minlength=1)
    return {i for i in np.flatnonzero(longest).tolist() if at[before[i]] == 1}


def _descents_to(heights: np.ndarray) -> np.ndarray:
    """Return how long the longest falling row that ends at each place is."""
    lengths = np.ones(len(heights), int)
    for i, height in enumerate(heights):
        lengths[i] += max(lengths[:i][heights[:i] > height], default=0)
    return lengths


def _depth_mm(volume: Volume, vertebra: Vertebra) -> float:
    """Return how far inside the scan a center lies, negative outside, mm."""
    ijk = apply_affine(np.linalg.inv(volume.affine), np.array(vertebra.centroid_mm))
    inside = np.minimum(ijk + 0.5, np.array(volume.array.shape) - 0.5 - ijk)
    return float(np.min(inside * volume.spacing_mm))


def _has_metal(volume: Volume, vertebra: Vertebra, labels: LabelMap | None) -> bool:
    """Say whether over 2 % of the bone within 18 mm of the center exceeds 2500 HU."""
    spacing = np.array(volume.spacing_mm)
    center = apply_affine(np.linalg.inv(volume.affine), np.array(vertebra.centroid_mm))
    low = np.clip(np.floor(center - _BODY_RADIUS_MM / spacing), 0, None).astype(int)
    high = np.clip(np.ceil(center + _BODY_RADIUS_MM / spacing) + 1, 0, None).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    hu = volume.array[box]
    ijk = np.moveaxis(np.indices(hu.shape), 0, -1) + low
    offset = (ijk - center) @ volume.affine[:3, :3].T
    body = np.sum(offset**2, axis=-1) <= _BODY_RADIUS_MM**2
    if labels is not None and labels.array.shape == volume.array.shape:
        body &= labels.array[box] == vertebra.level.verse_label
    return bool(body.any() and np.mean(hu[body] > _METAL_HU) > _METAL_SHARE)


def not_assessable_reason(flags: Iterable[str]) -> str | None:
    """Say why a vertebra with these flags cannot be assessed, or None if it can.

    Examples
    --------
    >>> not_assessable_reason(["level_gap", "metal"])
    'there is metal in the body'
    >>> not_assessable_reason(["thick_slices"]) is None
    True
    """
    present = set(flags)
    return next((reason for flag, reason in STOPPING.items() if flag in present), None)
