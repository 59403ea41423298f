"""Points of planes that stand across the spine's curve."""

from __future__ import annotations

import numpy as np

from spinexplain.geometry import Curve


def across(
    curve: Curve, s_mm: np.ndarray, forward_mm: np.ndarray, left_mm: np.ndarray
) -> np.ndarray:
    """Return the grid points of planes across a curve.

    Parameters
    ----------
    curve : Curve
        In space, cranial to caudal.
    s_mm : ndarray, shape (n,)
        Arc lengths.
    forward_mm, left_mm : ndarray, shape (F,) and (L,)
        Grid lines before the curve and to the patient's left of it.

    Returns
    -------
    ndarray, shape (n, F, L, 3)
        RAS+ mm.

    Examples
    --------
    >>> from spinexplain.geometry import fit_curve
    >>> line = fit_curve(np.array([[0.0, 0, 0], [0, 0, -9]]), np.array([0.0, 0, -1]))
    >>> across(line, np.array([1.0]), np.array([5.0]), np.array([2.0])).round(6).tolist()
    [[[[-2.0, 5.0, -1.0]]]]
    """
    caudal = curve.tangent(s_mm)
    left = np.array([-1.0, 0.0, 0.0]) + caudal * caudal[:, :1]
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    forward = np.cross(caudal, left)
    at = curve.at(s_mm)[:, None, None]
    return (
        at
        + forward_mm[:, None, None] * forward[:, None, None]
        + left_mm[:, None] * left[:, None, None]
    )
