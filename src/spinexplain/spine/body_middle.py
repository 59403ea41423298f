"""The middle of a vertebral body: halfway between its walls, and halfway between its endplates.

This is the point that training sheets are centered on. The mean of a body's voxels is another
one: bodies are hollow behind, so that it lies a millimeter or two further back.
"""

from __future__ import annotations

import numpy as np

_INSIDE = 0.5
_STRIP_MM = 2.5  # on either side of the midline: there the canal is behind every wall
_BAND = 0.3  # of the height, on either side of half of it: walls are sought there
_FRONT = (-0.3, 0.0)  # of the depth, from its middle: there nothing is attached to the sides
_COLUMNS = 0.2  # of the depth, on either side of its middle: endplates are sought there
_FAR_END = 0.75  # quantile of where lines end: on a wedge those at the rims end early
_FARTHEST_MM = 14.0  # from where one starts; the mean of what is deep in a lumbar arch is that far
_HIGHEST_MM, _DEEPEST_MM, _WIDEST_MM = 45.0, 54.0, 75.0
_ROUNDS = 2


def middle_between_walls(
    occupancy: np.ndarray, start: np.ndarray, spacing_mm: float
) -> np.ndarray | None:
    """Find the middle of a body in a crop along its own axes.

    Parameters
    ----------
    occupancy : ndarray, shape (W, V, U)
        Share of the body in each sample, 0 to 1, along caudal, posterior, left; with the arch
        or without.
    start : ndarray, shape (3,)
        About the middle, in samples; inside the body.
    spacing_mm : float
        Distance of the samples.

    Returns
    -------
    ndarray, shape (3,), or None
        In samples. None where the walls are not found, or not where a body has them.

    Notes
    -----
    Lines run up and down, forward and back, to the right and left from near the middle until
    they leave the body; of several lines the median decides on the height, so that a pit does not,
    and the third quarter on the walls, so that the rim of a wedge does not.

    Examples
    --------
    >>> body = np.zeros((30, 40, 40))
    >>> body[4:25, 6:29, 4:36] = 1.0
    >>> body[:, 24:29, :15] = body[:, 24:29, 25:] = 1.0
    >>> middle_between_walls(body, np.array([13.0, 18.0, 22.0]), 1.25).tolist()
    [14.0, 17.0, 19.5]
    """
    w, v, u = (float(at) for at in start)
    deep, strip = 0.0, _STRIP_MM / spacing_mm
    for _ in range(_ROUNDS):
        midline = _near(u, strip)
        height = _halfway(occupancy[:, _near(v, 0), midline], 0, w, _HIGHEST_MM / spacing_mm)
        if height is None:
            return None
        w, band = height[0], _near(height[0], _BAND * height[1])
        rows = occupancy[band, :, midline]
        depth = _halfway(rows, 1, v, _DEEPEST_MM / spacing_mm, _FAR_END)
        if depth is None:
            return None
        v, deep = depth
        front = slice(*(max(round(v + share * deep), 0) for share in _FRONT))
        width = _halfway(occupancy[band, front], 2, u, _WIDEST_MM / spacing_mm, _FAR_END)
        u = u if width is None else width[0]
    columns = _near(v, _COLUMNS * deep)
    height = _halfway(occupancy[:, columns, _near(u, strip)], 0, w, _HIGHEST_MM / spacing_mm)
    if height is None:
        return None
    middle = np.array([height[0], v, u])
    return middle if np.linalg.norm(middle - start) * spacing_mm <= _FARTHEST_MM else None


def _near(place: float, reach: float) -> slice:
    return slice(max(round(place - reach), 0), round(place + reach) + 1)


def _halfway(
    part: np.ndarray, axis: int, start: float, longest: float, quantile: float = 0.5
) -> tuple[float, float] | None:
    """Return halfway between both ends of a body on lines about a place, and their distance.

    Lines run along one axis of a part. Those that begin outside the body, or do not leave it, are
    left out; None without half of them.
    """
    lines = np.moveaxis(part, axis, -1).reshape(-1, part.shape[axis])
    at = min(max(round(start), 0), lines.shape[1] - 1)
    asked = lines[lines[:, at] >= _INSIDE]
    ends = np.stack([_end(asked[:, at:]), _end(asked[:, at::-1])])
    left = ends.sum(axis=0) <= longest
    if left.sum() * 2 <= len(lines):
        return None
    after, before = np.quantile(ends[:, left], quantile, axis=1).tolist()
    return at + (after - before) / 2, after + before


def _end(lines: np.ndarray) -> np.ndarray:
    """Return after how many samples, with a fraction, each line falls below one half; or inf."""
    out = lines < _INSIDE
    first = out.argmax(axis=1)
    rows = np.arange(len(lines))
    inner, outer = lines[rows, first - 1], lines[rows, first]
    share = (inner - _INSIDE) / np.maximum(inner - outer, 1e-6)
    return np.where(out.any(axis=1), first - 1 + share, np.inf)
