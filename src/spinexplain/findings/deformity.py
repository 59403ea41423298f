"""Deformities that lose height without a fracture, as the heights show them.

Short vertebral height, Scheuermann's disease and Schmorl's nodes are the common ones. Heights
alone are no proof of them: the verdict asks the question, a reader answers it.

Sources: Lentle BC et al., Osteoporos Int 2019 (algorithm-based qualitative reading, short
vertebral height); Sorensen's criterion of three adjacent wedged bodies.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.types import Heights

SHORT, SCHEUERMANN, SCHMORL = "short_height", "scheuermann", "schmorl"
_ALIKE = 0.07  # by how much the three sites of a short body may differ in loss
_SHORT = (0.12, 0.30)
_WEDGED = 0.10  # anterior below posterior loss, of every body of a row of three
_LARGEST_WEDGE = 0.30
_ROW = 3
_PIT = 0.10  # by how much a pit lowers the middle of one third below the other two
_RIM = 0.12


def deformities(heights: Mapping[VertebraLevel, Heights]) -> dict[VertebraLevel, str]:
    """Name the deformity that each body's heights look like.

    Parameters
    ----------
    heights : mapping of VertebraLevel to Heights
        Of the whole scan: Scheuermann's disease shows in a row of bodies.

    Returns
    -------
    dict of VertebraLevel to str
        ``"short_height"`` (all three heights about equally low), ``"scheuermann"`` (one of
        three or more adjacent bodies that are wedged alike) or ``"schmorl"`` (a pit in one
        third, the rims high); other levels are absent.
    """
    found = {level: name for level, one in heights.items() if (name := _single(one)) is not None}
    for level in _wedged_rows(heights):
        found.setdefault(level, SCHEUERMANN)
    return found


def site_losses(heights: Heights) -> np.ndarray:
    """Return the loss at the anterior, middle and posterior site, shape (3,)."""
    measured = np.array([heights.anterior_mm, heights.middle_mm, heights.posterior_mm])
    return 1 - measured / np.maximum(np.array(heights.expected_mm), 1e-6)


def _single(heights: Heights) -> str | None:
    losses = site_losses(heights)
    if np.ptp(losses) <= _ALIKE and _SHORT[0] <= losses.max() <= _SHORT[1]:
        return SHORT
    thirds = [heights.thirds_mm[name][1] for name in ("left", "middle", "right")]
    low, others = min(thirds), float(np.mean(sorted(thirds)[1:]))
    is_pit = losses[1] == losses.max() and 1 - low / others >= _PIT
    return SCHMORL if is_pit and max(losses[0], losses[2]) < _RIM else None


def _wedged_rows(heights: Mapping[VertebraLevel, Heights]) -> list[VertebraLevel]:
    """Return the levels of every row of three or more adjacent bodies that are wedged alike."""
    rows: list[list[VertebraLevel]] = [[]]
    last = None
    for level in sorted(heights, key=lambda one: one.order):
        adjacent = last is not None and _follows(last, level)
        if not adjacent or not _is_wedged(heights[level]):
            rows.append([])
        if _is_wedged(heights[level]):
            rows[-1].append(level)
        last = level
    return [level for row in rows if len(row) >= _ROW for level in row]


def _follows(above: VertebraLevel, below: VertebraLevel) -> bool:
    step = below.order - above.order
    return step == 1 or (above.value, below.value) == ("T12", "L1")


def _is_wedged(heights: Heights) -> bool:
    anterior, _, posterior = site_losses(heights)
    return anterior - posterior >= _WEDGED and anterior <= _LARGEST_WEDGE
