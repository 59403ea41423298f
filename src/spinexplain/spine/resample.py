"""Sampling an array on another grid or at points, with a plain rule for its border."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform, map_coordinates

_SMALL = 200_000  # samples: for fewer, loading SimpleITK and copying to it costs more than it saves
HALF_VOXEL = 0.5 + 1e-6  # an array ends where its outermost samples' voxels end


def resample_affine(
    array: np.ndarray,
    matrix: np.ndarray,
    offset: np.ndarray,
    shape: tuple[int, int, int],
    beyond: float,
    linear: bool = True,
) -> tuple[np.ndarray, float]:
    """Sample an array on another grid: input index = matrix @ output index + offset.

    Parameters
    ----------
    array : ndarray, shape (A, B, C)
    matrix : ndarray, shape (3, 3)
    offset : ndarray, shape (3,)
    shape : tuple of 3 ints
        Of the output.
    beyond : float
        Value more than half a sample beyond the array; up to there its border values hold.
    linear : bool
        Trilinear into float32, else nearest in the array's own dtype.

    Returns
    -------
    ndarray, shape ``shape``
    float
        Share of the output beyond the array, 0 to 1.
    """
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1).T
    source_index = corners @ matrix.T + offset
    if np.all((source_index >= 0) & (source_index <= np.array(array.shape) - 1)):
        return _resample(array, matrix, offset, shape, beyond, linear), 0.0
    padded = np.pad(array, 1, mode="edge")
    sampled = _resample(padded, matrix, offset + 1, shape, beyond, linear)
    second, third = np.ogrid[: shape[1], : shape[2]]
    plane = [matrix[a, 1] * second + matrix[a, 2] * third + offset[a] for a in range(3)]
    inside = np.empty(shape, dtype=bool)
    for first in range(shape[0]):  # plane by plane: their coordinates stay in the cache
        axes = [plane[a] + matrix[a, 0] * first for a in range(3)]
        inside[first] = inside_grid(axes, array.shape)
    sampled[~inside] = beyond
    return sampled, float(1.0 - inside.mean())


def resample_points(
    array: np.ndarray, index: np.ndarray, beyond: float, linear: bool = True
) -> tuple[np.ndarray, float]:
    """Sample an array at any points; see :func:`resample_affine`.

    Parameters
    ----------
    array : ndarray, N-D
    index : ndarray, shape (*S, N)
        Where, in indices of ``array``.

    Returns
    -------
    ndarray, shape (*S)
    float
        Share of the points beyond the array, 0 to 1.
    """
    inside = inside_grid(list(np.moveaxis(index, -1, 0)), array.shape)
    last = np.array(array.shape).reshape(-1, *[1] * (index.ndim - 1)) - 1
    held = np.ascontiguousarray(np.clip(np.moveaxis(index, -1, 0), 0, last))
    if linear:
        sampled = map_coordinates(array, held, np.float32, order=1)
    else:
        sampled = array[tuple(np.rint(held).astype(np.intp))]
    sampled[~inside] = beyond
    return sampled, float(1.0 - inside.mean())


def inside_grid(axes: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Say which index coordinates, one array an axis, lie within the outermost voxels."""
    inside = np.ones((), dtype=bool)
    for coordinate, size in zip(axes, shape, strict=True):
        inside = inside & (coordinate >= -HALF_VOXEL) & (coordinate <= size - 1 + HALF_VOXEL)
    return inside


def _resample(
    array: np.ndarray,
    matrix: np.ndarray,
    offset: np.ndarray,
    shape: tuple[int, int, int],
    beyond: float,
    linear: bool,
) -> np.ndarray:
    straight = not np.any(matrix - np.diag(np.diag(matrix)))
    if not linear or not (straight or np.prod(shape) <= _SMALL):
        return _resample_by_itk(array, matrix, offset, shape, beyond, linear)
    order = memory_order(array)  # reading along memory, not across it, is several times faster
    stored, start = array.transpose(order), offset[order]
    if not straight:
        return _sampled(stored, matrix[order], start, shape)
    sizes = tuple(shape[axis] for axis in order)
    return _sampled(stored, np.diag(matrix)[order], start, sizes).transpose(np.argsort(order))


def _sampled(
    array: np.ndarray, matrix: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    # mode: a place that rounding puts beyond the border has its value
    return np.asarray(
        affine_transform(
            array, matrix, offset, output_shape=shape, output=np.float32, order=1, mode="nearest"
        )
    )


def _resample_by_itk(
    array: np.ndarray,
    matrix: np.ndarray,
    offset: np.ndarray,
    shape: tuple[int, int, int],
    beyond: float,
    linear: bool,
) -> np.ndarray:
    import SimpleITK as sitk

    order = memory_order(array)  # copying along memory, not across it, is ten times faster
    source = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(order)))
    transform = sitk.AffineTransform(3)
    # SimpleITK counts axes from the last one of the array
    transform.SetMatrix(matrix[order][::-1, ::-1].ravel().tolist())
    transform.SetTranslation(offset[order][::-1].tolist())
    sampled = sitk.Resample(
        source,
        shape[::-1],
        transform,
        sitk.sitkLinear if linear else sitk.sitkNearestNeighbor,
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
        np.eye(3).ravel().tolist(),
        float(beyond),
        sitk.sitkFloat32 if linear else source.GetPixelID(),
    )
    return sitk.GetArrayFromImage(sampled)


def memory_order(array: np.ndarray) -> np.ndarray:
    """Return the axes from the slowest to the fastest in memory."""
    return np.argsort(np.abs(array.strides), kind="stable")[::-1]
