"""Outlines of a heat map: where half, and where four fifths of it lie."""

from __future__ import annotations

import numpy as np
from contourpy import contour_generator


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


def above_floor(heatmap: np.ndarray) -> np.ndarray:
    """Keep what rises above a heat map's median.

    A similarity map is small but not zero far from the evidence. Summed over many pixels that
    floor would hold most of the mass, and a contour of the mass would trace its ripples.

    Examples
    --------
    >>> above_floor(np.array([1.0, 1, 1, 4])).tolist()
    [0.0, 0.0, 0.0, 3.0]
    """
    return np.clip(heatmap - np.median(heatmap), 0, None)


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
    level = mass_level(heatmap, share)
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
