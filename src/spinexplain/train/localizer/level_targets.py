"""What the levels network is to answer along a section: centers, discs, offsets, levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.localizer.section import arc_lengths
from spinexplain.models.localizing import LEVEL_CLASSES, OUTSIDE, SACRUM
from spinexplain.spine.straighten import StraightenedFrame

UNKNOWN = -1
"""Level of a position that teaches nothing: between two bodies, or beyond the drawing."""

WIDTH_MM = 3.0
"""Spread of the bump that a center is on the line."""

LOST_MM = 32.0
"""A curve this far aside does not show the body."""

UNCOUNTED = ("S2", "S3", "S4", "S5")
"""Levels whose centers are not asked for."""

_OFFSET_MM = 8.0  # how far from a center its offset is taught
_BODY_SHARE = 0.42  # of the way to the neighbor that still is this level
_BEYOND_MM = 24.0  # beyond the uppermost and lowermost body nothing is known so far


@dataclass(frozen=True, eq=False)
class LevelTargets:
    """The truth along a section of n positions.

    Parameters
    ----------
    center, disc : ndarray of float32, shape (n,)
        Bumps of height 1 at the bodies' centers and halfway between them.
    offsets_cm : ndarray of float32, shape (3, n)
        From the position to the nearest center: caudal, posterior, left.
    taught : ndarray of bool, shape (n,)
        Where there is an offset.
    level : ndarray of int64, shape (n,)
        Index in ``LEVEL_CLASSES``, or ``UNKNOWN``.
    """

    center: np.ndarray
    disc: np.ndarray
    offsets_cm: np.ndarray
    taught: np.ndarray
    level: np.ndarray


def level_class(level: str) -> int:
    """Return the class of a drawn level; all of the sacrum is one.

    Examples
    --------
    >>> LEVEL_CLASSES[level_class("T13")], LEVEL_CLASSES[level_class("S2")]
    ('T13', 'S')
    """
    return LEVEL_CLASSES.index(SACRUM if level.startswith("S") else level)


def level_targets(
    frame: StraightenedFrame, levels: Sequence[str], centers_mm: np.ndarray, seen: np.ndarray
) -> LevelTargets:
    """Lay the truth of a person along a section, which need not follow the spine well.

    Parameters
    ----------
    frame : StraightenedFrame
    levels : sequence of str
        Head to foot.
    centers_mm : ndarray, shape (k, 3)
    seen : ndarray of bool, shape (n,)
        Whether the scan shows the position; beyond it there is nothing to find.

    Notes
    -----
    A body more than 32 mm beside the curve is not there for the section. Below S1 no
    centers are asked for.
    """
    s = arc_lengths(frame)
    local = frame.to_patch(centers_mm)
    middle = (np.array(frame.shape) - 1) / 2
    at = frame.s_center_mm + (local[:, 0] - middle[0]) * frame.spacing_mm
    aside = (local[:, 1:] - middle[1:]) * frame.spacing_mm
    there = np.linalg.norm(aside, axis=1) < LOST_MM
    distance = s[:, None] - at[None]
    nearest = np.abs(distance).argmin(axis=1)
    to_center = -distance[np.arange(len(s)), nearest]
    counted = there & np.array([level not in UNCOUNTED for level in levels])
    taught = seen & counted[nearest] & (np.abs(to_center) < _OFFSET_MM)
    offsets = np.stack([to_center, *aside[nearest].T]).astype(np.float32) / 10.0
    between = (at[:-1] + at[1:]) / 2
    return LevelTargets(
        center=_bumps(s, at[counted]) * seen,
        disc=_bumps(s, between[there[:-1] & there[1:]]) * seen,
        offsets_cm=offsets * taught,
        taught=taught,
        level=_levels(levels, at, there, to_center, nearest, seen),
    )


def _bumps(s: np.ndarray, at: np.ndarray) -> np.ndarray:
    if not len(at):
        return np.zeros(len(s), np.float32)
    bumps = np.exp(-((s[:, None] - at[None]) ** 2) / (2 * WIDTH_MM**2))
    return np.asarray(bumps.max(axis=1), np.float32)


def _levels(
    levels: Sequence[str],
    at: np.ndarray,
    there: np.ndarray,
    to_center: np.ndarray,
    nearest: np.ndarray,
    seen: np.ndarray,
) -> np.ndarray:
    classes = np.array([level_class(level) for level in levels])
    gaps = np.diff(at)
    above, below = np.r_[gaps[0], gaps], np.r_[gaps, gaps[-1]]
    # to_center > 0: the position lies above the center
    reach = np.where(to_center > 0, above[nearest], below[nearest]) * _BODY_SHARE
    sacral = classes[nearest] == LEVEL_CLASSES.index(SACRUM)
    within = (np.abs(to_center) < reach) | (sacral & (to_center <= 0))
    found = np.where(within, classes[nearest], UNKNOWN)
    outside = LEVEL_CLASSES.index(OUTSIDE)
    found = np.where(there[nearest], found, outside)
    ends = (nearest == 0) & (to_center > _BEYOND_MM)
    ends |= (nearest == len(at) - 1) & (to_center < -_BEYOND_MM)
    found = np.where(ends, UNKNOWN, found)
    return np.asarray(np.where(seen, found, outside), np.int64)
