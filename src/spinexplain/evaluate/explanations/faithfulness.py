"""Faithfulness: whether the model's answer follows when what the map shows is taken away."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from spinexplain.errors import ShapeError

STEPS = 16
_BLUR, _LOCAL = 8.0, 25


def side_fractions(steps: int, axes: int) -> np.ndarray:
    """Return the shares of the patch taken away step by step, from 0 to 1.

    Parameters
    ----------
    steps : int
    axes : int

    Returns
    -------
    ndarray of float, shape (steps + 1,)
        (k / steps)^axes: the *side* of the area grows evenly. In equal shares the first of
        16 steps would already take away more than all of a fracture's evidence.

    Examples
    --------
    >>> side_fractions(4, 2).tolist()
    [0.0, 0.0625, 0.25, 0.5625, 1.0]
    """
    return (np.arange(steps + 1) / steps) ** axes


def step_masks(heatmap: np.ndarray, fractions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return what is taken away at each step: the highest samples of the map first.

    Parameters
    ----------
    heatmap : ndarray, shape (*S)
    fractions : ndarray of float, shape (F,)
    seed : int
        Orders equal values.

    Returns
    -------
    ndarray of bool, shape (F, *S)
        Nested; step f holds round(f x samples) samples.

    Examples
    --------
    >>> step_masks(np.array([1.0, 3.0, 2.0]), np.array([0, 1 / 3, 1])).astype(int).tolist()
    [[0, 0, 0], [0, 1, 0], [1, 1, 1]]
    """
    values = np.asarray(heatmap, float)
    drawn = np.random.default_rng([seed, 23]).random(values.size)
    order = np.lexsort((drawn, -values.ravel()))
    rank = np.empty(values.size, int)
    rank[order] = np.arange(values.size)
    counts = np.rint(np.asarray(fractions) * values.size)
    return (rank[None] < counts[:, None]).reshape(len(counts), *values.shape)


def deleted(image: np.ndarray, reference: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Replace the masked samples of an image by those of a reference, (F, *S)."""
    return np.where(masks, reference, image)


def inserted(image: np.ndarray, reference: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Show the masked samples of an image on a reference, (F, *S)."""
    return np.where(masks, image, reference)


def blurred(hu: np.ndarray, sigma: float = _BLUR) -> np.ndarray:
    """Return the image without its detail: a Gaussian of 8 samples."""
    return gaussian_filter(np.asarray(hu, np.float32), sigma, mode="nearest")


def local_mean(hu: np.ndarray, size: int = _LOCAL) -> np.ndarray:
    """Return the mean of the samples around each sample, over a box of 25."""
    return uniform_filter(np.asarray(hu, np.float32), size, mode="nearest")


def curve_area(scores: np.ndarray) -> np.ndarray:
    """Return the area under curves of scores over evenly spaced steps.

    Parameters
    ----------
    scores : ndarray, shape (..., F)
        The model's score for the class explained at each step.

    Returns
    -------
    ndarray of float, shape (...)
        Trapezoids, divided by the number of steps: the mean score on the way. For deletion
        lower is better, for insertion higher.

    Raises
    ------
    ShapeError
        If there are fewer than two steps.

    Notes
    -----
    Deletion and insertion of Petsiuk et al. (arXiv:1806.07421). Reading: over the side of
    the area removed, see :func:`side_fractions`.

    Examples
    --------
    >>> float(curve_area(np.array([1.0, 0.5, 0.0])))
    0.5
    """
    values = np.asarray(scores, float)
    if values.shape[-1] < 2:
        raise ShapeError(f"a curve needs at least two steps; got shape {values.shape}.")
    return (values[..., 1:] + values[..., :-1]).mean(axis=-1) / 2
