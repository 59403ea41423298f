"""How large a whole vertebra is at each level, to find out whose numbers a mask has.

Numbers alone do not say whether 1 to 5 are C1 to C5 or somebody's L1 to L5; that the bones
are five times as large as cervical ones does.

Sources
-------
Volumes of whole vertebrae (body and arch) are rounded medians of this package's phantoms
and of the public masks that its tests use, T1 to L5; cervical ones follow the same masks'
scale at C7-T1 and the published dimensions of C3-C7 (Panjabi MM et al., Spine 1991;
16:861-869, doi 10.1097/00007632-199108000-00001). They only have to be right within a
factor of about one and a half: they never separate neighbors.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.label_stats import LabelStats

_CM3 = {
    "C": (11, 13, 9, 9, 9.5, 10.5, 12),
    "T": (14, 14, 14.5, 15.5, 16.5, 18, 19.5, 21, 23, 26, 30, 34),
    "L": (38, 42, 45, 47, 46, 46),
}
_STEP_MM = {  # from the center of a level to that of the next one below
    "C": (16, 16, 16, 16, 16.5, 17.5, 18.5),
    "T": (19, 19.5, 19.5, 20, 20.5, 21, 21.5, 22, 23, 24.5, 26, 28),
    "L": (31, 33, 34, 34, 34, 34),
}
# A body mask has 0.4 to 0.65 of the bone's volume, a small person 0.6 of the usual.
_VOLUME_RATIOS = (0.22, 1.95)
_STEP_RATIOS = (0.55, 1.5)
_FEWEST_STEPS = 2
_SMALLEST, _NECK_RATIO = ("C3", "C4", "C5", "C6"), 1.55
# T1-L5 numbered as C1-T10 are 1.1 times too large at the top and 2 times at the bottom.
_FEWEST_FOR_GROWTH, _MOST_GROWTH = 8, 0.4


def _by_level(table: Mapping[str, tuple[float, ...]]) -> dict[VertebraLevel, float]:
    values = {
        VertebraLevel(f"{region}{number}"): float(value)
        for region, row in table.items()
        for number, value in enumerate(row, start=1)
    }
    t12, l1 = VertebraLevel.T12, VertebraLevel.L1
    return values | {VertebraLevel.T13: (values[t12] + values[l1]) / 2}


_VOLUMES_MM3 = {level: 1000 * volume for level, volume in _by_level(_CM3).items()}
_STEPS_MM = _by_level(_STEP_MM)


def usual_volume_mm3(level: VertebraLevel) -> float:
    """Return the usual volume of a whole vertebra, mm^3.

    Examples
    --------
    >>> usual_volume_mm3(VertebraLevel.L3) > 4 * usual_volume_mm3(VertebraLevel.C3)
    True
    """
    return _VOLUMES_MM3[level]


def usual_step_mm(above: VertebraLevel, below: VertebraLevel) -> float:
    """Return the usual distance between the centers of two levels, along the spine, mm.

    T13 and L6 count only where they are one of the two: most spines have neither.

    Examples
    --------
    >>> usual_step_mm(VertebraLevel.T12, VertebraLevel.L2)
    59.0
    """
    extra = (VertebraLevel.T13, VertebraLevel.L6)
    passed = [
        level
        for level in VertebraLevel
        if above.order <= level.order < below.order and (level is above or level not in extra)
    ]
    return sum(_STEPS_MM[level] for level in passed)


def volume_ratio(levels: Mapping[VertebraLevel, LabelStats]) -> float:
    """Return how large the vertebrae are, measured by what is usual at their levels.

    The median over the levels; bones at the border of the mask, which may be cut, count
    only where there are no others. NaN where there is none at all.
    """
    whole = {level: one for level, one in levels.items() if not one.at_border} or levels
    ratios = [one.volume_mm3 / _VOLUMES_MM3[level] for level, one in whole.items()]
    return float(np.median(ratios)) if ratios else float("nan")


def step_ratio(levels: Mapping[VertebraLevel, LabelStats]) -> float:
    """Return how far apart the vertebrae are, measured by what is usual at their levels.

    The median over neighboring levels; NaN where there are fewer than two such steps.
    """
    ordered = sorted(levels, key=lambda level: level.order)
    steps = [
        float(np.linalg.norm(levels[a].center_mm - levels[b].center_mm)) / usual_step_mm(a, b)
        for a, b in pairwise(ordered)
    ]
    return float(np.median(steps)) if len(steps) >= _FEWEST_STEPS else float("nan")


def against_sizes(levels: Mapping[VertebraLevel, LabelStats]) -> str:
    """Say why bones of these sizes cannot be these levels; empty if they can.

    Parameters
    ----------
    levels : mapping of VertebraLevel to LabelStats

    Returns
    -------
    str
        A clause with the factor that was found.
    """
    volume, step = volume_ratio(levels), step_ratio(levels)
    neck = {level: one for level, one in levels.items() if level.value in _SMALLEST}
    if len(neck) >= _FEWEST_STEPS and volume_ratio(neck) > _NECK_RATIO:
        return f"the bones have {volume_ratio(neck):.2g} times the usual volume of {_span(neck)}"
    growth = _growth(levels)
    if abs(growth) > _MOST_GROWTH:
        return f"the bones grow {np.exp(growth):.2g} times as much as {_span(levels)} usually do"
    if volume < _VOLUME_RATIOS[0] or volume > _VOLUME_RATIOS[1]:
        return f"the bones have {volume:.2g} times the usual volume of {_span(levels)}"
    if step < _STEP_RATIOS[0] or step > _STEP_RATIOS[1]:
        return f"they lie {step:.2g} times as far apart as {_span(levels)} usually do"
    return ""


def _growth(levels: Mapping[VertebraLevel, LabelStats]) -> float:
    """Return how the log volume ratio changes from the first to the last level, by a line."""
    whole = [level for level, one in levels.items() if not one.at_border]
    if len(whole) < _FEWEST_FOR_GROWTH:
        return 0.0
    order = np.array([level.order for level in whole], dtype=float)
    logs = np.log([levels[level].volume_mm3 / _VOLUMES_MM3[level] for level in whole])
    return float(np.polyfit(order, logs, 1)[0] * np.ptp(order))


def misfit(levels: Mapping[VertebraLevel, LabelStats]) -> float:
    """Return how odd the sizes are, 0 for usual ones: sum of absolute log ratios."""
    ratios = np.array([volume_ratio(levels), step_ratio(levels)])
    return float(np.nansum(np.abs(np.log(ratios)) * (1.0, 2.0)))


def _span(levels: Mapping[VertebraLevel, LabelStats]) -> str:
    ordered = sorted(levels, key=lambda level: level.order)
    first, last = ordered[0].value, ordered[-1].value
    return first if first == last else f"{first}-{last}"
