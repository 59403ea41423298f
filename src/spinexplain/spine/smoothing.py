"""Smoothing a crop before it is sampled more coarsely than it was scanned."""

from __future__ import annotations

import numpy as np
from scipy.special import ive

from spinexplain.spine.resample import memory_order
from spinexplain.types import Volume

_FWHM_PER_SIGMA_SQUARED = 8 * np.log(2)
_NEGLIGIBLE_TAIL = 3e-3
_CACHED_SAMPLES = 1 << 16


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
    stored = wide.transpose(order)
    kernels = [kernels[axis].astype(np.float32) for axis in order]
    slow, middle, fast = stored.shape
    sizes = [n - len(k) + 1 for n, k in zip(stored.shape, kernels, strict=True)]
    planes = np.empty((slow, sizes[1], sizes[2]), np.float32)
    step = max(1, _CACHED_SAMPLES // (middle * fast))
    for start in range(0, slow, step):  # a few planes at a time stay in the cache
        part = np.ascontiguousarray(stored[start : start + step], np.float32)
        flat = _convolve(_convolve(part.reshape(-1), kernels[2], 1), kernels[1], fast)
        planes[start : start + step] = flat.reshape(part.shape)[:, : sizes[1], : sizes[2]]
    smooth = _convolve(planes.reshape(-1), kernels[0], sizes[1] * sizes[2])
    return smooth.reshape(planes.shape)[: sizes[0]].transpose(np.argsort(order))


def _convolve(flat: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Convolve samples ``stride`` apart with a symmetric kernel; each result stands first.

    Rows run into each other at their ends; the caller cuts those samples off.
    """
    reach = len(kernel) // 2
    if not reach:
        return flat
    size = flat.size - 2 * reach * stride
    out = np.zeros_like(flat)
    np.multiply(flat[reach * stride :][:size], kernel[reach], out=out[:size])
    for i in range(reach):
        pair = flat[i * stride :][:size] + flat[(2 * reach - i) * stride :][:size]
        pair *= kernel[i]
        out[:size] += pair
    return out
