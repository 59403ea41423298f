"""Bodies too flat or tall for their width: slices lie closer or further apart than stated."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.spine.checks.body_extents import body_extents
from spinexplain.spine.checks.presence import regular_levels_between
from spinexplain.types import LabelMap, Vertebra

ODD_PROPORTIONS = "odd_proportions"

# Root of width times depth, by the distance of two levels, median over a spine: 1.1 to 1.65 in
# phantoms and real masks. Slices stated at half or twice their distance double or halve it.
_USUAL, _PROPORTIONS = 1.25, (0.75, 1.9)
_FEWEST_PAIRS = 2


def check_proportions(labels: LabelMap, vertebrae: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Compare how wide and deep the bodies are with how far apart they lie.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels.
    vertebrae : sequence of Vertebra
        With the centers found in ``labels``.

    Returns
    -------
    set of VertebraLevel
        All levels, if the bodies are much too flat or too tall; else none.

    Warns
    -----
    ScanWarning
        If they are.

    Notes
    -----
    Crushed bodies are flatter, too, but not all of a spine to half of their height.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    pairs = [
        (upper, lower)
        for upper, lower in pairwise(ordered)
        if not regular_levels_between(upper.level, lower.level) and upper.level.is_graded
    ]
    if len(pairs) < _FEWEST_PAIRS:
        return set()
    extents = body_extents(labels, ordered)
    sizes = np.array([[extents[v.level].width_mm, extents[v.level].depth_mm] for v, _ in pairs])
    steps_mm = np.array([np.subtract(v.centroid_mm, w.centroid_mm) for v, w in pairs])
    apart_mm = np.linalg.norm(steps_mm, axis=1)
    found = float(np.median(np.sqrt(sizes.prod(axis=1)) / np.maximum(apart_mm, 1e-6)))
    if _PROPORTIONS[0] <= found <= _PROPORTIONS[1]:
        return set()
    width, depth = np.median(sizes, axis=0)
    flat = found > _USUAL
    message = (
        f"the bodies are {width:.0f} mm wide and {depth:.0f} mm deep but their centers lie "
        f"{np.median(apart_mm):.0f} mm apart, {max(found / _USUAL, _USUAL / found):.1f} times too "
        f"{'close' if flat else 'far'}. Check the distance of the slices in the header."
    )
    warnings.warn(message, ScanWarning, stacklevel=2)
    return {vertebra.level for vertebra in ordered}
