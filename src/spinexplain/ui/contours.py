"""Outlines of a heat map: where half, and where four fifths of it lie, or as published."""

from __future__ import annotations

import numpy as np
from contourpy import contour_generator

from spinexplain.spine.heatmap import above_floor
from spinexplain.ui.tokens import MASS_SHARES

SHOWN_SHARE = 0.98


def mass_level(heatmap: np.ndarray, share: float) -> float:
    """Return the value above which a heat map holds ``share`` of its sum.

    Parameters
    ----------
    heatmap : ndarray of any shape
        Not below 0.
    share : float
        Between 0 and 1.

    Returns
    -------
    float
        Infinity for a map that is zero everywhere: nothing encloses any of it.

    Examples
    --------
    Of 1 + 2 + 3 + 4 the two largest values hold 70 %, the largest alone 40 %:

    >>> mass_level(np.array([1.0, 2, 3, 4]), 0.5)
    3.0
    """
    values = np.sort(np.clip(heatmap, 0, None), axis=None)[::-1].astype(float)
    total = values.sum()
    if total <= 0:
        return float("inf")
    return float(values[int(np.searchsorted(np.cumsum(values), share * total))])


def mass_contour(heatmap: np.ndarray, share: float) -> str:
    """Outline the region that holds ``share`` of what rises above a heat map's floor.

    Parameters
    ----------
    heatmap : ndarray, shape (rows, columns)
        Not below 0.
    share : float

    Returns
    -------
    str
        Value of an SVG path's ``d``, in units of samples, where the sample (row, column)
        covers the square from (column, row) to (column + 1, row + 1). Empty where the map
        is flat or zero.

    Notes
    -----
    The map is padded with zeros, so that a region that reaches the border is closed along
    it instead of left open.
    """
    heatmap = above_floor(heatmap)
    return level_contour(heatmap, mass_level(heatmap, share))


def region_level(heatmap: np.ndarray, region: str) -> float:
    """Return the value that a heat map reaches inside its region as published.

    Parameters
    ----------
    heatmap : ndarray of any shape
        Not below 0.
    region : str
        ``"percentile98"``: the map's 98th percentile. ``"mass98"``: the value above which
        98 % of its sum lie.

    Notes
    -----
    ProtoVerse shows "image regions which enclose at least 98% in the similarity heatmap".
    ProtoPNet takes the 95th percentile, so the first reading is the percentile, the other
    the sum.

    Examples
    --------
    >>> region_level(np.arange(101.0), "percentile98")
    98.0
    """
    if region == "percentile98":
        return float(np.percentile(heatmap, 100 * SHOWN_SHARE))
    return mass_level(heatmap, SHOWN_SHARE)


def region_box(heatmap: np.ndarray, region: str) -> tuple[slice, ...]:
    """Return the tight box around everything in a heat map's region, as ProtoPNet crops it.

    One slice an axis; empty slices where the map is flat. The box spans the whole image as
    soon as two far corners light up, so it is no measure of place.

    Examples
    --------
    >>> heatmap = np.zeros((10, 10))
    >>> heatmap[4, 7] = 1
    >>> region_box(heatmap, "mass98")
    (slice(4, 5, None), slice(7, 8, None))
    """
    level = region_level(heatmap, region)
    inside = np.argwhere(heatmap >= level) if level > 0 else np.zeros((0, heatmap.ndim), int)
    if not len(inside) or not np.isfinite(level):
        return (slice(0, 0),) * heatmap.ndim
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def outlines(heatmap: np.ndarray, region: str = "contours") -> tuple[str, ...]:
    """Outline a heat map for the report, innermost first.

    Parameters
    ----------
    heatmap : ndarray, shape (rows, columns)
    region : str
        ``"contours"``: half and four fifths of what rises above its floor. Otherwise the
        region as published and the box around it.
    """
    if region == "contours":
        return tuple(mass_contour(heatmap, share) for share in MASS_SHARES)
    rows, columns = region_box(heatmap, region)
    if rows.stop == rows.start:
        return ("", "")
    corners = [(columns.start, rows.start), (columns.stop, rows.start)]
    corners += [(columns.stop, rows.stop), (columns.start, rows.stop)]
    box = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z"
    return (level_contour(heatmap, region_level(heatmap, region)), box)


def level_contour(heatmap: np.ndarray, level: float) -> str:
    """Outline where a heat map reaches a level; a path as :func:`mass_contour` gives."""
    if not np.isfinite(level) or level <= 0:
        return ""
    # Just under the level: a plateau that equals it belongs inside.
    level *= 1 - 1e-6
    generator = contour_generator(z=np.pad(np.asarray(heatmap, dtype=float), 1))
    rows, columns = heatmap.shape
    return "".join(_path(np.asarray(line), columns, rows) for line in generator.lines(level))


def _path(line: np.ndarray, columns: int, rows: int) -> str:
    # Index i of the padded map is the center of sample i - 1, at i - 0.5.
    points = np.clip(line - 0.5, 0, [columns, rows])
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in _thinned(points))
    return f"M{steps}Z"


def _thinned(points: np.ndarray) -> np.ndarray:
    """Drop points closer than a third of a sample to the one kept before."""
    kept = [0]
    for index in range(1, len(points)):
        if np.abs(points[index] - points[kept[-1]]).max() > 0.34:
            kept.append(index)
    return points[kept]
