"""Smoothing a crop before it is sampled more coarsely than it was scanned."""

from __future__ import annotations

import numpy as np
from scipy.special import ive

from spinexplain.spine.resample import memory_order
from spinexplain.types import Volume

_FWHM_PER_SIGMA_SQUARED = 8 * np.log(2)
_NEGLIGIBLE_TAIL = 3e-3
_CACHED_SAMPLES = 1 << 15


def smoothing_sigmas(volume: Volume, spacing_mm: float) -> np.ndarray:
    """Return the smoothing along each native axis in voxels, shape (3,); 0 is none.

    Examples
    --------
    >>> smoothing_sigmas(Volume(np.zeros((2, 2, 2)), np.diag([0.5, 1.0, 3.0, 1.0])), 1.0).round(3)
    array([0.736, 0.   , 0.   ])
    """
    native = np.array(volume.spacing_mm)
    variance_mm2 = np.maximum(spacing_mm**2 - native**2, 0.0) / _FWHM_PER_SIGMA_SQUARED
    return np.sqrt(variance_mm2) / native


def discrete_gaussian(sigma: float) -> np.ndarray:
    """Return the discrete analogue of the Gaussian, cut short at its exact variance.

    Parameters
    ----------
    sigma : float
        In samples; 0 gives the kernel that changes nothing.

    Returns
    -------
    ndarray, shape (2 r + 1,)
        Symmetric, sums to 1.

    Notes
    -----
    Lindeberg 1990: the weights are modified Bessel functions, and the variance is exact
    however narrow the kernel is; a sampled Gaussian would vanish under half a sample.

    Examples
    --------
    >>> discrete_gaussian(0.3).round(3)
    array([0.045, 0.91 , 0.045])
    """
    if sigma <= 0:
        return np.ones(1)
    weights = ive(np.arange(int(np.ceil(6 * sigma)) + 6), sigma**2)
    tail = 1 - (2 * np.cumsum(weights) - weights[0])
    reach = max(int(np.argmax(tail < _NEGLIGIBLE_TAIL)), 1)
    side = weights[1 : reach + 1]
    side *= sigma**2 / (2 * np.sum(side * np.arange(1, reach + 1) ** 2))
    return np.concatenate([side[::-1], [1 - 2 * side.sum()], side])


def smoothed(wide: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    """Smooth each axis with its kernel and cut off the margin that this takes.

    Parameters
    ----------
    wide : ndarray, shape (A, B, C)
    kernels : list of 3 ndarrays
        Symmetric, of odd length; a single 1 leaves an axis alone.

    Returns
    -------
    ndarray of float32
        Shorter along each axis by its kernel's length less one; same memory order.
    """
    order = memory_order(wide)
    smooth = np.ascontiguousarray(wide.transpose(order), dtype=np.float32)
    for axis, kernel in enumerate(kernels[i] for i in order):
        if len(kernel) > 1:
            smooth = _convolve(smooth, kernel.astype(np.float32), axis)
    return smooth.transpose(np.argsort(order))


def _convolve(array: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """Convolve with a symmetric kernel where it fits wholly, block by block in the cache."""
    reach = len(kernel) // 2
    size = array.shape[axis] - 2 * reach
    shifted = [array[(slice(None),) * axis + (slice(i, i + size),)] for i in range(2 * reach + 1)]
    out = np.empty_like(shifted[0], order="C")
    rows = max(1, _CACHED_SAMPLES // out[0].size)
    for start in range(0, len(out), rows):
        block = slice(start, start + rows)
        np.multiply(shifted[reach][block], kernel[reach], out=out[block])
        for i in range(reach):
            pair = shifted[i][block] + shifted[-1 - i][block]
            pair *= kernel[i]
            out[block] += pair
    return out
