"""From patches in HU to a network's input without torch; what exported models are fed with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinexplain.config.training import InputSpec
from spinexplain.errors import ShapeError
from spinexplain.types import Patch


def input_array(patches: Sequence[Patch], spec: InputSpec) -> np.ndarray:
    """Turn patches into a batch of network inputs.

    Parameters
    ----------
    patches : sequence of Patch, length N
        HU, each ``extent_mm`` wide along every axis. The Gaussian channel is centred on
        the vertebra's centroid, wherever in the patch that lies.
    spec : InputSpec

    Returns
    -------
    ndarray of float32, shape (N, C, size, ...)
        What :func:`spinexplain.models.inputs.to_tensor` gives, to rounding.

    Raises
    ------
    ShapeError
        If a patch has another number of axes or another extent than the spec.
    """
    for patch in patches:
        check_extent(patch, spec)
    batch = [_channels(patch, spec) for patch in patches]
    empty = np.zeros((0, len(spec.channels), *(spec.size,) * spec.axes), np.float32)
    return np.stack(batch) if batch else empty


def center_index(patch: Patch) -> np.ndarray:
    """Return the centroid's position in the patch, in samples, shape (axes,)."""
    where = patch.frame.to_patch(np.asarray(patch.vertebra.centroid_mm, dtype=float))
    return where[: patch.array.ndim]


def check_extent(patch: Patch, spec: InputSpec) -> None:
    """Refuse a patch of another number of axes or another extent than the spec.

    A patch scaled to its body's size may span any extent, the same along every axis.

    Raises
    ------
    ShapeError
    """
    extent = [n * patch.frame.spacing_mm for n in patch.array.shape]
    wanted = spec.extent_mm if spec.body_height_mm is None else extent[0]
    if len(extent) != spec.axes or any(abs(e - wanted) > 1e-3 for e in extent):
        raise ShapeError(
            f"patch of {patch.vertebra.level.value} must span {spec.extent_mm} mm along "
            f"{spec.axes} axes; got {extent} mm. Reformat with the model's extent."
        )


def resized(array: np.ndarray, size: int) -> np.ndarray:
    """Resample every axis to ``size`` samples, linear, both grids covering the same extent.

    Parameters
    ----------
    array : ndarray of float32, shape (*S)
    size : int

    Returns
    -------
    ndarray of float32, shape (size, ...)

    Notes
    -----
    Sample i of n lies at (i + 0.5) / n of the extent; beyond the outermost samples their
    values go on. As torch's ``interpolate`` without aligned corners.

    Examples
    --------
    >>> resized(np.array([0.0, 1.0], np.float32), 4)
    array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    for axis, samples in enumerate(array.shape):
        if samples != size:
            array = np.moveaxis(np.tensordot(_weights(samples, size), array, (1, axis)), 0, axis)
    return array


def _channels(patch: Patch, spec: InputSpec) -> np.ndarray:
    hu = np.asarray(patch.array, np.float32)
    planes: dict[str, np.ndarray] = {}
    for channel in dict.fromkeys(spec.channels):
        if channel == "gaussian":
            planes[channel] = _gaussian(center_index(patch), hu.shape, spec)
        else:
            low, high = spec.windows_hu[channel]
            planes[channel] = resized(((hu - low) / (high - low)).clip(0, 1), spec.size)
    stacked = np.stack([planes[channel] for channel in spec.channels])
    return ((stacked - spec.mean) / spec.std).astype(np.float32, copy=False)


def _gaussian(center: np.ndarray, shape: tuple[int, ...], spec: InputSpec) -> np.ndarray:
    """Draw a bump of peak 1 around the center on the input's grid."""
    plane = np.ones((1,) * len(shape), np.float32)
    for axis, samples in enumerate(shape):
        mm_per_sample, mm_per_pixel = spec.extent_mm / samples, spec.extent_mm / spec.size
        at_mm = (np.arange(spec.size, dtype=np.float32) + np.float32(0.5)) * mm_per_pixel
        center_mm = (center[axis].astype(np.float32) + np.float32(0.5)) * mm_per_sample
        bump = np.exp(-0.5 * ((at_mm - center_mm) / spec.gaussian_sigma_mm) ** 2)
        plane = plane * bump.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return plane.astype(np.float32, copy=False)


def _weights(samples: int, size: int) -> np.ndarray:
    """Return the matrix (size, samples) that resamples one axis."""
    where = np.clip((np.arange(size) + 0.5) * samples / size - 0.5, 0, samples - 1)
    low = np.minimum(where.astype(int), samples - 1)
    high, share = np.minimum(low + 1, samples - 1), where - low
    weights = np.zeros((size, samples))
    np.add.at(weights, (np.arange(size), low), 1 - share)
    np.add.at(weights, (np.arange(size), high), share)
    return weights.astype(np.float32)
