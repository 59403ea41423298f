"""Sampling a scan on a grid along its own axes: a small matrix for each axis instead of points."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from spinexplain.geometry import BoxFrame
from spinexplain.spine.resample import HALF_VOXEL, memory_order
from spinexplain.spine.sampling import AIR_HU, box_to_voxel
from spinexplain.spine.smoothing import discrete_gaussian, smoothing_sigmas
from spinexplain.types import Volume

_SLANT = 1e-9  # of a voxel per sample: rounding of the affine
_AT_ONCE = 1 << 12  # lines along the slowest axis


def sampled_straight(volume: Volume, frame: BoxFrame) -> np.ndarray | None:
    """Sample as :func:`~spinexplain.spine.sampling.sample_volume` does, where axes are parallel.

    Parameters
    ----------
    volume : Volume
    frame : BoxFrame

    Returns
    -------
    ndarray of float32, shape ``frame.shape``, or None
        HU; -1000 beyond the scan. None where an axis of the frame runs along none of the scan's.

    Notes
    -----
    Smoothing and interpolation along an axis are one sparse matrix, samples by voxels; three
    products take the place of three convolutions of the whole scan. Many voxels to a sample make
    this several times faster.

    Examples
    --------
    >>> volume = Volume(np.full((9, 9, 9), 40, np.int16), np.eye(4))
    >>> frame = BoxFrame(np.full(3, 4.0), np.eye(3), (3, 3, 3), 4.0)
    >>> float(sampled_straight(volume, frame).max())
    40.0
    """
    matrix, offset = box_to_voxel(frame, volume.affine)
    is_along = np.abs(matrix) > _SLANT
    if (is_along.sum(axis=0) != 1).any() or (is_along.sum(axis=1) != 1).any():
        return None
    sigmas = smoothing_sigmas(volume, frame.spacing_mm)
    of_scan = is_along.argmax(axis=1)  # the frame's axis along each of the scan's
    places = [
        matrix[axis, along] * np.arange(frame.shape[along]) + offset[axis]
        for axis, along in enumerate(of_scan)
    ]
    weights = [
        axis_weights(place, count, float(sigma))
        for place, count, sigma in zip(places, volume.array.shape, sigmas, strict=True)
    ]
    sampled = _products(volume.array, weights)
    for axis, (place, count) in enumerate(zip(places, volume.array.shape, strict=True)):
        beyond = (place < -HALF_VOXEL) | (place > count - 1 + HALF_VOXEL)
        np.moveaxis(sampled, axis, 0)[beyond] = AIR_HU
    return np.ascontiguousarray(sampled.transpose(np.argsort(of_scan)))


def axis_weights(places: np.ndarray, count: int, sigma: float) -> csr_array:
    """Return what each voxel of an axis adds to each sample, float32, shape (samples, count).

    Parameters
    ----------
    places : ndarray, shape (samples,)
        In voxels; beyond the ends the outermost voxel holds.
    count : int
        Voxels of the axis.
    sigma : float
        Of the smoothing, in voxels.

    Examples
    --------
    >>> axis_weights(np.array([0.25, 9.0]), 3, 0.0).toarray().tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]]
    """
    kernel = discrete_gaussian(sigma)
    taps = np.arange(len(kernel)) - len(kernel) // 2
    at = np.clip(places, 0, count - 1)
    low = np.floor(at)
    # two neighbors of the place, and around each of them the kernel
    voxels = (low[:, None] + [0, 1])[:, :, None] + taps
    shares = np.stack([low + 1 - at, at - low], axis=1)[:, :, None] * kernel
    rows = np.repeat(np.arange(len(at)), 2 * len(kernel))
    columns = np.clip(voxels, 0, count - 1).astype(int).ravel()
    shape = (len(at), count)
    return csr_array((shares.ravel().astype(np.float32), (rows, columns)), shape=shape)


def _products(array: np.ndarray, weights: list[csr_array]) -> np.ndarray:
    """Apply a matrix along each axis, the slowest in memory first."""
    order = memory_order(array)
    slow, middle, fast = (weights[axis] for axis in order)
    stored = array.transpose(order)
    lines = stored.reshape(len(stored), -1)
    planes = np.empty((slow.shape[0], lines.shape[1]), np.float32)
    for start in range(0, lines.shape[1], _AT_ONCE):  # some lines at a time stay in the cache
        some = slice(start, start + _AT_ONCE)
        planes[:, some] = slow @ lines[:, some].astype(np.float32)
    sampled = [fast @ (middle @ plane).T for plane in planes.reshape(-1, *stored.shape[1:])]
    return np.stack(sampled).transpose(0, 2, 1).transpose(np.argsort(order))
