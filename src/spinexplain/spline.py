"""A natural cubic spline, and nothing else of what a library of splines brings.

Importing ``scipy.interpolate`` takes a fifth of the time in which a spine is found.
"""

from __future__ import annotations

import numpy as np


class NaturalSpline:
    """A cubic through points with no curvature at its ends.

    Parameters
    ----------
    t : ndarray, shape (n,)
        Strictly increasing, n >= 2.
    points : ndarray, shape (n, D)

    Notes
    -----
    The second derivatives at the points solve the usual tridiagonal system. Past the ends the
    outermost pieces go on.

    Examples
    --------
    >>> spline = NaturalSpline(np.array([0.0, 1.0, 2.0]), np.array([[0.0], [1.0], [0.0]]))
    >>> spline(np.array([0.5, 1.0])).tolist(), spline(np.array(0.0), 1).tolist()
    ([[0.6875], [1.0]], [1.5])
    """

    def __init__(self, t: np.ndarray, points: np.ndarray) -> None:
        self.t, self.points = t, points
        self.bend = _second_derivatives(t, points)

    def __call__(self, t: np.ndarray, derivative: int = 0) -> np.ndarray:
        """Return points (..., D), or with ``derivative`` 1 the slopes, at parameters (...)."""
        at = np.asarray(t, float)
        i = np.clip(np.searchsorted(self.t, at, side="right") - 1, 0, len(self.t) - 2)
        step = (self.t[i + 1] - self.t[i])[..., None]
        below, above = at - self.t[i], self.t[i + 1] - at
        b, a = below[..., None] / step, above[..., None] / step
        first, second = self.points[i], self.points[i + 1]
        bend, next_bend = self.bend[i], self.bend[i + 1]
        if derivative:
            turn = (3 * b**2 - 1) * next_bend - (3 * a**2 - 1) * bend
            return np.asarray((second - first) / step + turn * step / 6)
        sag = (a**3 - a) * bend + (b**3 - b) * next_bend
        return np.asarray(a * first + b * second + sag * step**2 / 6)


def _second_derivatives(t: np.ndarray, points: np.ndarray) -> np.ndarray:
    bend = np.zeros(points.shape)
    if len(t) < 3:
        return bend
    step = np.diff(t)
    slope = np.diff(points, axis=0) / step[:, None]
    matrix = np.diag(2 * (step[:-1] + step[1:]))
    matrix += np.diag(step[1:-1], 1) + np.diag(step[1:-1], -1)
    bend[1:-1] = np.linalg.solve(matrix, 6 * np.diff(slope, axis=0))
    return bend
