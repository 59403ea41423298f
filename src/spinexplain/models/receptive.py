"""Receptive fields: which pixels a cell of a feature map can see, and where it sits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates


@dataclass(frozen=True)
class ConvStep:
    """One convolution or pooling on the way through a trunk, the same along every axis.

    Parameters
    ----------
    kernel, stride : int
    before : int
        Padding before the first sample.
    """

    kernel: int
    stride: int
    before: int


@dataclass(frozen=True)
class ReceptiveField:
    """Geometry of a feature map, in pixels of the network's input.

    Parameters
    ----------
    size : int
        Pixels a cell can see along each axis, ignoring the image's border.
    stride : int
        Pixels between neighbouring cells.
    start : float
        Pixel index of the centre of the first cell's field.
    """

    size: int
    stride: int
    start: float

    def box(self, cell: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the pixels a cell sees, clipped to an input of ``shape``."""
        slices = []
        for index, samples in zip(cell, shape, strict=True):
            center = self.start + index * self.stride
            low, high = center - (self.size - 1) / 2, center + (self.size - 1) / 2
            slices.append(slice(max(int(low), 0), min(int(high) + 1, samples)))
        return tuple(slices)


def receptive_field(steps: Iterable[ConvStep]) -> ReceptiveField:
    """Follow the steps of a trunk and return the field of its last map.

    Notes
    -----
    size grows by (k - 1) x stride so far; the first centre moves by
    ((k - 1) / 2 - padding) x stride so far. Padding as TensorFlow does it (less before
    than behind) shifts the grid by up to half a cell, so that a map stretched over the
    image with equal borders would lie beside the bone.

    Examples
    --------
    >>> receptive_field([ConvStep(3, 2, 1), ConvStep(3, 2, 1)])
    ReceptiveField(size=7, stride=4, start=0.0)
    """
    size, stride, start = 1, 1, 0.0
    for step in steps:
        start += ((step.kernel - 1) / 2 - step.before) * stride
        size += (step.kernel - 1) * stride
        stride *= step.stride
    return ReceptiveField(size, stride, start)


def upsample_map(
    cells: np.ndarray, shape: tuple[int, ...], field: ReceptiveField, pixels_per_sample: float = 1.0
) -> np.ndarray:
    """Upsample a map of grid cells onto the patch it was computed from.

    Parameters
    ----------
    cells : ndarray, shape (*G)
    shape : tuple of int
        Samples of the patch along each axis.
    field : ReceptiveField
    pixels_per_sample : float
        Pixels of the network's input per sample of the patch.

    Returns
    -------
    ndarray of float32, shape ``shape``
        Bicubic, clipped to the range of ``cells`` and to not below 0.
    """
    axes = [
        (((np.arange(n) + 0.5) * pixels_per_sample - 0.5) - field.start) / field.stride
        for n in shape
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"))
    dense = map_coordinates(np.asarray(cells, dtype=float), grid, order=3, mode="nearest")
    return np.clip(dense, max(float(cells.min()), 0.0), max(float(cells.max()), 0.0)).astype(
        np.float32
    )
