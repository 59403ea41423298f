"""Height loss read off the true mask of a body: the cheap opponent of every network.

A body is cut into thirds of its depth after its rims are left out, as a radiologist measures at
the front, in the middle and behind; rims are rounded, and their height says nothing. How much of
the depth is a rim was chosen on phantoms that no network is tested on.
"""

from __future__ import annotations

import numpy as np

RIM = 0.15
"""Share of the depth that is left out at either end."""
_FEWEST = 9  # columns, so that every third has one


def third_heights(mask: np.ndarray) -> np.ndarray:
    """Return the mean height of a body's thirds, front to back or back to front, in samples.

    Parameters
    ----------
    mask : ndarray of bool, shape (S, S)
        A sagittal slice; the first axis runs along the spine.

    Returns
    -------
    ndarray of float, shape (3,)
        Zero where the body is too small to be cut.

    Examples
    --------
    >>> body = np.ones((10, 20), bool)
    >>> body[:4, 6:14] = False
    >>> third_heights(body).round(1).tolist()
    [8.4, 6.0, 9.0]
    """
    columns = np.count_nonzero(mask, axis=0)
    columns = columns[columns > 0]
    rim = int(len(columns) * RIM)
    inner = columns[rim : len(columns) - rim]
    if len(columns) < _FEWEST:
        return np.zeros(3)
    return np.array([third.mean() for third in np.array_split(inner, 3)])


def third_loss(thirds: np.ndarray, tallest: float = 0.0) -> float:
    """Return how much the lowest third lacks of the highest, or of a taller height beside it.

    Parameters
    ----------
    thirds : ndarray, shape (3,)
    tallest : float
        The tallest third of the neighboring bodies, where they are known.

    Examples
    --------
    >>> third_loss(np.array([8.0, 6.0, 8.0])), third_loss(np.array([6.0, 6.0, 6.0]), 8.0)
    (0.25, 0.25)
    """
    whole = max(float(thirds.max()), tallest)
    return 1 - float(thirds.min()) / whole if whole else 0.0
