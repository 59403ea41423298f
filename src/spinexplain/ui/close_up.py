"""Close-ups: the part of a patch around its evidence, large enough to see what is meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinexplain.spine.heatmap import above_floor
from spinexplain.ui.contours import mass_level, region_box
from spinexplain.ui.tokens import MASS_SHARES

Window = tuple[float, float, float, float]

LEAST_MM = 64.0
"""Side of a close-up: a body of any level with the endplates of both neighbors."""
_MARGIN_MM = 8.0


def evidence_box(heatmap: np.ndarray, region: str) -> tuple[slice, slice] | None:
    """Return rows and columns of what a heat map's outline encloses; None for a flat map.

    Parameters
    ----------
    heatmap : ndarray, shape (rows, columns)
        Not below 0.
    region : str
        See :func:`spinexplain.ui.contours.outlines`.

    Examples
    --------
    >>> heatmap = np.zeros((20, 20))
    >>> heatmap[4:6, 9] = 1
    >>> evidence_box(heatmap, "contours")
    (slice(4, 6, None), slice(9, 10, None))
    """
    if region == "contours":
        risen = above_floor(heatmap)
        level = mass_level(risen, MASS_SHARES[-1])
        inside = np.argwhere(risen >= level) if np.isfinite(level) else np.zeros((0, 2), int)
        if not len(inside):
            return None
        (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
        return slice(int(top), int(bottom)), slice(int(left), int(right))
    rows, columns = region_box(heatmap, region)
    return None if rows.stop == rows.start else (rows, columns)


def needed_mm(box: tuple[slice, slice] | None, spacing_mm: float) -> float:
    """Return the side of a square that shows a box with a margin, at least ``LEAST_MM``."""
    if box is None:
        return LEAST_MM
    longest = max(side.stop - side.start for side in box)
    return max(LEAST_MM, longest * spacing_mm + 2 * _MARGIN_MM)


def window(
    box: tuple[slice, slice] | None, shape: Sequence[int], spacing_mm: float, side_mm: float
) -> Window:
    """Place a square of ``side_mm`` around a box, inside the picture.

    Parameters
    ----------
    box : tuple of 2 slices or None
        Rows and columns; None is the middle of the picture.
    shape : sequence of 2 ints
        Rows and columns of the picture.
    spacing_mm, side_mm : float

    Returns
    -------
    tuple of 4 floats
        Left, top, width and height in samples; all of a picture that is smaller.

    Examples
    --------
    >>> window((slice(4, 6), slice(9, 10)), (112, 112), 1.0, 64.0)
    (0.0, 0.0, 64.0, 64.0)
    >>> window(None, (112, 112), 1.0, 64.0)
    (24.0, 24.0, 64.0, 64.0)
    """
    sides = box if box is not None else tuple(slice(0, count) for count in shape)
    placed = []
    for side, count in zip(sides, shape, strict=True):
        length = min(side_mm / spacing_mm, float(count))
        start = min(max((side.start + side.stop - length) / 2, 0.0), count - length)
        placed.append((round(start, 1), round(length, 1)))
    (top, height), (left, width) = placed
    return (left, top, width, height)
