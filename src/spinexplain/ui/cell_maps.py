"""Heat maps painted anew from the cells they come from, for outlines that show no ripples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator, make_interp_spline

from spinexplain.types import Evidence


def without_ringing(
    heatmap: np.ndarray, grid: Sequence[int], start: float, step: float
) -> np.ndarray:
    """Paint a heat map anew between the cells of its feature map, rising and falling with them.

    Parameters
    ----------
    heatmap : ndarray
        Upsampled by a spline through its cells.
    grid : sequence of int
        Cells along each axis of ``heatmap``.
    start, step : float
        Where the first cell's center lies from the map's edge, and the way to the next
        one, in samples.

    Returns
    -------
    ndarray of float32, shape of ``heatmap``
        Between two cells its values lie between theirs.

    Notes
    -----
    A cubic spline swings about a steep peak: between the second and the third cell beside it
    lie crests of about a twentieth of its height, which no cell has. In a wash they are too
    faint to be seen, but a level that asks for a share of the samples, as the 98 % region
    does, sinks to them where the peak is narrow, and outlines islands.

    Examples
    --------
    Cells of two samples with the values 0, 0.9, 0; the crest at the right is none of them:

    >>> swinging = np.array([0.0, 0.0, 0.5, 0.9, 0.5, 0.0, 0.0, 0.1])
    >>> steady = without_ringing(swinging, [3], start=1.5, step=2.0)
    >>> [f"{value:.2f}" for value in steady]
    ['0.00', '0.00', '0.68', '0.90', '0.68', '0.00', '0.00', '0.00']
    """
    for axis, cells in enumerate(grid):
        centers = start - 0.5 + step * np.arange(cells)
        heatmap = _painted_along(heatmap, axis, centers)
    return np.asarray(heatmap, dtype=np.float32)


def steady_map(heatmap: np.ndarray, piece: Evidence, spacing_mm: float) -> np.ndarray:
    """Return a map of a piece of evidence, or a plane of it, as its 98 % region is outlined on.

    Parameters
    ----------
    heatmap : ndarray
        On the test patch or on a training patch; of a box also its sagittal plane.
    piece : Evidence
    spacing_mm : float
        Distance of the map's samples.

    Returns
    -------
    ndarray
        Without ripples where the evidence knows its cells, else as it is.
    """
    if not piece.grid or piece.start_mm is None or piece.stride_mm is None:
        return heatmap
    start, step = piece.start_mm / spacing_mm, piece.stride_mm / spacing_mm
    return without_ringing(heatmap, piece.grid[: heatmap.ndim], start, step)


def _painted_along(heatmap: np.ndarray, axis: int, centers: np.ndarray) -> np.ndarray:
    """Paint monotone cubics between the cells in view; a lone one says nothing of its sides."""
    samples = np.arange(heatmap.shape[axis])
    centers = centers[(centers >= 0) & (centers <= samples[-1])]
    if len(centers) < 2:
        return heatmap
    cells = make_interp_spline(samples, heatmap, k=1, axis=axis)(centers)
    paint = PchipInterpolator(centers, cells, axis=axis)
    painted: np.ndarray = paint(np.clip(samples, centers[0], centers[-1]))
    return painted
