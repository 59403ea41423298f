"""What to know about a vertebra before trusting what is said about it.

The vocabulary of flags; a flag *stops* where the level can not be assessed, *limits*
where sizes or grades may be off, *informs* otherwise.

=====================  ========  ====================================================
flag                   severity  meaning
=====================  ========  ====================================================
touches_border         stops     the body reaches the border of the scan or its mask
outside_scan           stops     the centre lies outside the scan
metal                  stops     more than 2 % of the body is above 2500 HU
level_inversion        stops     lies on the wrong side of a neighbour in level order
centers_too_close      stops     under 8 mm to a neighbour's centre
centroid_outside_mask  limits    the given centroid lies outside the level's own mask
off_curve              limits    over 12 mm off the curve through the other centres
thick_slices           limits    a voxel is longer than 3 mm
fold                   limits    the spine bends too sharply for its patch
level_gap              informs   a neighbouring level is missing in between
transitional_level     informs   T13 or L6: level names and norms are uncertain
=====================  ========  ====================================================
"""

from __future__ import annotations

from collections.abc import Iterable

TOUCHES_BORDER = "touches_border"
OUTSIDE_SCAN = "outside_scan"
METAL = "metal"
LEVEL_INVERSION = "level_inversion"
CENTERS_TOO_CLOSE = "centers_too_close"
CENTROID_OUTSIDE_MASK = "centroid_outside_mask"
OFF_CURVE = "off_curve"
THICK_SLICES = "thick_slices"
FOLD = "fold"
LEVEL_GAP = "level_gap"
TRANSITIONAL_LEVEL = "transitional_level"

STOPPING = {
    OUTSIDE_SCAN: "its centre lies outside the scan",
    TOUCHES_BORDER: "it is cut off by the border of the scan",
    LEVEL_INVERSION: "the order of the levels contradicts their positions",
    CENTERS_TOO_CLOSE: "its centre is too close to a neighbour's",
    METAL: "there is metal in the body",
}


def not_assessable_reason(flags: Iterable[str]) -> str | None:
    """Say why a vertebra with these flags can not be assessed, or None if it can.

    Examples
    --------
    >>> not_assessable_reason(["level_gap", "metal"])
    'there is metal in the body'
    >>> not_assessable_reason(["thick_slices"]) is None
    True
    """
    present = set(flags)
    return next((reason for flag, reason in STOPPING.items() if flag in present), None)
