"""A scan made coarse: block means on its own grid, then a grid along the patient's axes."""

from __future__ import annotations

from math import ceil

import numpy as np

from spinexplain.geometry import BoxFrame, apply_affine
from spinexplain.spine.grids import extent_mm
from spinexplain.spine.resample import memory_order
from spinexplain.spine.sampling import sample_volume
from spinexplain.spine.straight_sampling import sampled_straight
from spinexplain.types import Volume

FINE_MM, WHOLE_MM = 2.0, 4.0
"""Grid that the section along the spine is read from, and that of the whole scan."""

_ABOVE = 1.2  # a voxel may be this much over the wanted size
_PLANES = 1 << 22  # voxels averaged at a time


def coarsened(volume: Volume, spacing_mm: float = FINE_MM) -> Volume:
    """Average blocks of voxels until a voxel is about as large as wanted.

    Parameters
    ----------
    volume : Volume
        On any grid; sheared and oblique axes stay what they are.
    spacing_mm : float
        Voxels come out at most 1.2 times this large; those that are larger stay.

    Returns
    -------
    Volume of int16
        HU. Planes that do not fill a block at the end of an axis are left out.

    Examples
    --------
    >>> scan = Volume(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    >>> coarse = coarsened(scan)
    >>> coarse.array.tolist(), coarse.affine[:3, 3].tolist()
    ([[[4]]], [0.5, 0.5, 0.5])
    """
    sizes = zip(volume.spacing_mm, volume.array.shape, strict=True)
    blocks = [max(min(int(_ABOVE * spacing_mm / step), n), 1) for step, n in sizes]
    order = memory_order(volume.array)
    stored = volume.array.transpose(order)
    averaged = _block_means(stored, [blocks[axis] for axis in order])
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, (np.array(blocks) - 1) / 2)
    affine[:3, :3] = volume.affine[:3, :3] * blocks
    return Volume(averaged.transpose(np.argsort(order)), affine)


def _block_means(stored: np.ndarray, blocks: list[int]) -> np.ndarray:
    """Average blocks of an array, some of its first planes at a time."""
    shape = [n // block for n, block in zip(stored.shape, blocks, strict=True)]
    out = np.empty(shape, np.int16)
    first, second, third = blocks
    at_once = max(_PLANES // (first * stored.shape[1] * stored.shape[2]), 1)
    for start in range(0, shape[0], at_once):
        stop = min(start + at_once, shape[0])
        slab = stored[start * first : stop * first, : shape[1] * second, : shape[2] * third]
        total = _sums(slab, blocks)
        out[start:stop] = np.clip(np.rint(total / np.prod(blocks)), -1024, 32767)
    return out


def _sums(slab: np.ndarray, blocks: list[int]) -> np.ndarray:
    kind = np.int32 if np.issubdtype(slab.dtype, np.integer) else np.float32
    for axis, block in enumerate(blocks):
        parts = [slab[(slice(None),) * axis + (slice(k, None, block),)] for k in range(block)]
        total = parts[0].astype(kind)
        for part in parts[1:]:
            total += part
        slab = total
    return slab


def whole_field(volume: Volume, spacing_mm: float = WHOLE_MM) -> Volume:
    """Resample a whole scan to a grid along the patient's axes.

    Parameters
    ----------
    volume : Volume
        Best coarsened before.
    spacing_mm : float

    Returns
    -------
    Volume of float32
        HU; axes run to the right, anterior and cranial, -1000 beyond the scan.
    """
    low, high = extent_mm(volume)
    shape = np.maximum(np.ceil((high - low) / spacing_mm).astype(int) + 1, 1)
    x, y, z = (int(n) for n in shape)
    frame = BoxFrame((low + high) / 2, np.eye(3), (x, y, z), spacing_mm)
    array = sampled_straight(volume, frame)
    if array is None:
        array, _ = sample_volume(volume, frame)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = frame.to_mm(np.zeros(3))
    return Volume(array, affine)


def padded(array: np.ndarray, multiple: int, value: float) -> np.ndarray:
    """Pad the end of every axis to a multiple.

    Examples
    --------
    >>> padded(np.ones((3, 4)), 4, 0.0).shape
    (4, 4)
    """
    wide = [(0, ceil(n / multiple) * multiple - n) for n in array.shape]
    return np.pad(array, wide, constant_values=value)
