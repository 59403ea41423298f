"""Sampling the CT, once and from its native grid, wherever a frame lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import correlate1d, map_coordinates
from scipy.special import ive

from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine
from spinexplain.types import Frame, LabelMap, Volume

AIR_HU = -1000.0
_HALF_VOXEL = 0.5 + 1e-6  # the scan ends where its outermost voxels end
_FWHM_PER_SIGMA_SQUARED = 8 * np.log(2)


def sample_volume(volume: Volume, frame: Frame, smooth: bool = True) -> tuple[np.ndarray, float]:
    """Sample the CT at every grid point of a frame by one trilinear interpolation.

    Only the small native crop that holds the frame is touched.

    Parameters
    ----------
    volume : Volume
        On any grid; permuted, flipped and sheared axes are all the same to it.
    frame : Frame
    smooth : bool
        Whether the crop is smoothed first along each native axis that is finer than the
        frame, so that nothing is lost between the samples.

    Returns
    -------
    ndarray of float32, shape ``frame.shape``
        HU; -1000 beyond the scan. Within the outer half of a border voxel its value holds.
    float
        Share of the samples beyond the scan, 0 to 1.

    Notes
    -----
    The kernel along an axis of spacing ``a`` mm for samples ``b`` mm apart has the variance
    ``(b^2 - a^2) / (8 ln 2)`` mm^2: widths at half maximum add in squares. It is the discrete
    analogue of the Gaussian (Lindeberg 1990), whose variance is exact however narrow it is;
    a sampled Gaussian would vanish under half a voxel.

    Examples
    --------
    >>> volume = Volume(np.full((9, 9, 9), 40, np.int16), np.eye(4))
    >>> frame = BoxFrame(np.full(3, 4.0), np.eye(3), (3, 3, 3), 1.0)
    >>> array, outside = sample_volume(volume, frame)
    >>> float(array.mean()), outside
    (40.0, 0.0)
    """
    sigmas = smoothing_sigmas(volume, frame.spacing_mm) if smooth else np.zeros(3)
    kernels = [_discrete_gaussian(sigma) for sigma in sigmas]
    return _sample(volume, frame, AIR_HU, kernels, linear=True)


def sample_labels(labels: LabelMap, frame: Frame) -> np.ndarray:
    """Sample a mask at every grid point of a frame: the label of the nearest voxel.

    Returns
    -------
    ndarray of the mask's dtype, shape ``frame.shape``
        0 beyond the mask.
    """
    return _sample(labels, frame, 0, [np.ones(1)] * 3, linear=False)[0]


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
    steps = np.ogrid[tuple(slice(n) for n in shape)]
    axes = [sum(matrix[a, b] * steps[b] for b in range(3)) + offset[a] for a in range(3)]
    inside = inside_grid(axes, array.shape)
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
    held = np.moveaxis(np.clip(index, 0, np.array(array.shape) - 1), -1, 0)
    if linear:
        sampled = map_coordinates(array, held, np.float32, order=1)
    else:
        sampled = array[tuple(np.rint(held).astype(np.intp))]
    sampled[~inside] = beyond
    return sampled, float(1.0 - inside.mean())


def inside_grid(axes: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Tell which index coordinates, one array an axis, lie within the outermost voxels."""
    inside = np.ones((), dtype=bool)
    for coordinate, size in zip(axes, shape, strict=True):
        inside = inside & (coordinate >= -_HALF_VOXEL) & (coordinate <= size - 1 + _HALF_VOXEL)
    return inside


def _resample(
    array: np.ndarray,
    matrix: np.ndarray,
    offset: np.ndarray,
    shape: tuple[int, int, int],
    beyond: float,
    linear: bool,
) -> np.ndarray:
    transform = sitk.AffineTransform(3)
    # SimpleITK counts axes from the last one of the array
    transform.SetMatrix(matrix[::-1, ::-1].ravel().tolist())
    transform.SetTranslation(offset[::-1].tolist())
    source = sitk.GetImageFromArray(np.ascontiguousarray(array))
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


@dataclass(frozen=True, eq=False)
class _Crop:
    """The part of a grid that a frame needs; ``start`` is its first voxel."""

    array: np.ndarray
    start: np.ndarray


def _sample(
    grid: Volume | LabelMap, frame: Frame, beyond: float, kernels: list[np.ndarray], linear: bool
) -> tuple[np.ndarray, float]:
    if isinstance(frame, BoxFrame):  # index to voxel is one affine, SimpleITK's fastest case
        matrix, offset = box_to_voxel(frame, grid.affine)
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in frame.shape])).reshape(3, -1).T
        ijk = corners @ matrix.T + offset
    else:
        ijk = _frame_ijk(frame, grid.affine)
    crop = _cut(grid.array, ijk.reshape(-1, 3), kernels)
    if crop is None:
        return np.full(frame.shape, beyond, np.float32 if linear else grid.array.dtype), 1.0
    # the crop ends between the points and the scan's border, or with the scan: what lies
    # beyond the crop lies beyond the scan
    if isinstance(frame, BoxFrame):
        local = offset - crop.start
        return resample_affine(crop.array, matrix, local, frame.shape, beyond, linear)
    return resample_points(crop.array, ijk - crop.start, beyond, linear)


def box_to_voxel(frame: BoxFrame, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix (3, 3) and offset (3,) that take box indices to voxel indices."""
    inverse = np.linalg.inv(affine)
    matrix = inverse[:3, :3] @ (frame.axes.T * frame.spacing_mm)
    return matrix, apply_affine(inverse, frame.to_mm(np.zeros(3)))


def _frame_ijk(frame: Frame, affine: np.ndarray) -> np.ndarray:
    """Return the voxel coordinates (*S, 3) of every grid point of a frame."""
    inverse = np.linalg.inv(affine)
    if isinstance(frame, SheetFrame):  # rows and columns add up: one curve point a row is enough
        rows, columns = (np.arange(n, dtype=float) for n in frame.shape)
        down = frame.to_mm(np.stack([rows, np.zeros_like(rows)], axis=-1))
        back = frame.to_mm(np.stack([np.zeros_like(columns), columns], axis=-1))
        return apply_affine(inverse, down[:, None] + (back - back[:1])[None])
    grid = np.moveaxis(np.indices(tuple(frame.shape)), 0, -1)
    return apply_affine(inverse, frame.to_mm(grid))


def _cut(array: np.ndarray, ijk: np.ndarray, kernels: list[np.ndarray]) -> _Crop | None:
    """Cut out and smooth the voxels around points (n, 3); None where there are none."""
    reach = np.array([len(kernel) // 2 for kernel in kernels])
    size = np.array(array.shape)
    low, high = ijk.min(axis=0), ijk.max(axis=0)
    if np.any(high < -_HALF_VOXEL) or np.any(low > size - 1 + _HALF_VOXEL):
        return None
    start = np.clip(np.floor(low).astype(int) - 1, 0, size - 1)
    stop = np.clip(np.ceil(high).astype(int) + 2, 1, size)
    wide_start, wide_stop = np.maximum(start - reach, 0), np.minimum(stop + reach, size)
    crop = array[tuple(map(slice, wide_start, wide_stop))]
    for axis, kernel in enumerate(kernels):
        if len(kernel) > 1:
            crop = correlate1d(crop, kernel, axis, np.float32, mode="nearest")
    inner = tuple(map(slice, start - wide_start, stop - wide_start))
    return _Crop(crop[inner], start)


def _discrete_gaussian(sigma: float) -> np.ndarray:
    """Return the discrete analogue of the Gaussian, of variance ``sigma**2`` in samples."""
    if sigma <= 0:
        return np.ones(1)
    weights = ive(np.arange(int(np.ceil(6 * sigma)) + 6), sigma**2)
    reach = int(np.argmax(1 - (2 * np.cumsum(weights) - weights[0]) < 1e-3))
    kernel = np.concatenate([weights[reach:0:-1], weights[: reach + 1]])
    return kernel / kernel.sum()
