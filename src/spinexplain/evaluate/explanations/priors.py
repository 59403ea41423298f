"""Image-blind priors: heat maps that never saw the image, the opponents of every explainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude, map_coordinates

from spinexplain.evaluate.explanations.parts import BodyFrame

_REACH = 3.0
_STEPS = {2: 121, 3: 61}
_EDGE_WINDOW_HU = (-200.0, 800.0)


def gaussian_prior(center: np.ndarray, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Draw a Gaussian on the centroid, which the network is given too.

    Parameters
    ----------
    center : ndarray of float, shape (axes,)
        Index of the vertebra's centroid.
    shape : tuple of int
    sigma : float
        In samples.

    Returns
    -------
    ndarray of float32, shape (*S)
        1 at the center.

    Examples
    --------
    >>> gaussian_prior(np.array([1.0]), (3,), 1.0).round(2).tolist()
    [0.6100000143051147, 1.0, 0.6100000143051147]
    """
    grid = np.indices(shape, dtype=np.float32)
    offset = grid - np.asarray(center, np.float32).reshape(-1, *(1,) * len(shape))
    return np.exp(-0.5 * np.square(offset / sigma).sum(axis=0)).astype(np.float32)


def edge_prior(hu: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """Return how steep the image is: blind to the model, not to the image.

    Parameters
    ----------
    hu : ndarray, shape (*S)
        Clipped to -200 to 800 HU first.
    sigma : float
        Width of the Gaussian derivative in samples.

    Notes
    -----
    The edge detector that Adebayo et al. (arXiv:1810.03292) set beside saliency maps.
    """
    clipped = np.clip(np.asarray(hu, np.float32), *_EDGE_WINDOW_HU)
    return gaussian_gradient_magnitude(clipped, sigma, mode="nearest")


def random_prior(shape: tuple[int, ...], seed: int, row: int) -> np.ndarray:
    """Draw a map of white noise, the same for the same seed and row."""
    return np.random.default_rng([seed, row, 17]).random(shape, dtype=np.float32)


def centroid_frames(
    centers: np.ndarray, bodies: Sequence[BodyFrame], scaled: bool
) -> list[BodyFrame]:
    """Return frames that sit on the given centroids and are not tilted.

    Parameters
    ----------
    centers : ndarray of float, shape (n, axes)
        Index of each centroid.
    bodies : sequence of BodyFrame, length n
    scaled : bool
        Take each body's own size; otherwise their mean for all of them.
    """
    sizes = np.stack([body.half_size for body in bodies])
    if not scaled:
        sizes = np.broadcast_to(sizes.mean(axis=0), sizes.shape)
    upright = np.diag([-1.0, -1.0, 1.0])[: centers.shape[1], : centers.shape[1]]
    return [
        BodyFrame(c, upright, s) for c, s in zip(np.asarray(centers, float), sizes, strict=True)
    ]


def mean_evidence_priors(
    masks: np.ndarray, frames: Sequence[BodyFrame], subjects: np.ndarray
) -> np.ndarray:
    """Lay the mean evidence of other subjects on every vertebra.

    Parameters
    ----------
    masks : ndarray of bool, shape (n, *S)
        True evidence. Vertebrae without any get a prior and give nothing to it.
    frames : sequence of BodyFrame, length n
        What the mean is taken and laid down in: the centroid alone, scaled to the body, or
        the body's own frame (:func:`~spinexplain.evaluate.explanations.parts.body_frame`).
    subjects : ndarray of str, shape (n,)
        The evidence of a vertebra's own subject is left out of its prior.

    Returns
    -------
    ndarray of float32, shape (n, *S)
        Share of the other fractures whose evidence lies there; 0 beyond three half sizes.

    Notes
    -----
    prior_i(x) = mean over {j: subject_j != subject_i} of m_j(F_j(F_i^-1(x))), F being the
    frame's map to the patch.
    """
    masks, subjects = np.asarray(masks, bool), np.asarray(subjects)
    grid = _grid(masks.ndim - 1)
    in_frames = [
        map_coordinates(mask.astype(np.float32), frame.samples(grid), order=1, mode="constant")
        for mask, frame in zip(masks, frames, strict=True)
    ]
    gives = masks.reshape(len(masks), -1).any(axis=1)
    priors = np.zeros(masks.shape, np.float32)
    for subject in np.unique(subjects):
        others = np.flatnonzero(gives & (subjects != subject))
        mean = np.mean([in_frames[k] for k in others], axis=0) if len(others) else 0 * in_frames[0]
        for row in np.flatnonzero(subjects == subject):
            priors[row] = _laid(mean, frames[int(row)], masks.shape[1:])
    return priors


def _grid(axes: int) -> np.ndarray:
    steps = np.linspace(-_REACH, _REACH, _STEPS[axes])
    return np.stack(np.meshgrid(*[steps] * axes, indexing="ij"))


def _laid(mean: np.ndarray, frame: BodyFrame, shape: tuple[int, ...]) -> np.ndarray:
    places = (frame.coordinates(shape) + _REACH) / (2 * _REACH) * (np.array(mean.shape[0]) - 1)
    return map_coordinates(mean, places, order=1, mode="constant")
