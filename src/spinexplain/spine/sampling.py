"""Sampling the CT, once and from its native grid, wherever a frame lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine
from spinexplain.spine.resample import HALF_VOXEL, inside_grid, resample_affine, resample_points
from spinexplain.spine.smoothing import discrete_gaussian, smoothed, smoothing_sigmas
from spinexplain.types import Frame, LabelMap, Volume

AIR_HU = -1000.0


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
    ``(b^2 - a^2) / (8 ln 2)`` mm^2: widths at half maximum add in squares.

    Examples
    --------
    >>> volume = Volume(np.full((9, 9, 9), 40, np.int16), np.eye(4))
    >>> frame = BoxFrame(np.full(3, 4.0), np.eye(3), (3, 3, 3), 1.0)
    >>> array, outside = sample_volume(volume, frame)
    >>> float(array.mean()), outside
    (40.0, 0.0)
    """
    sigmas = smoothing_sigmas(volume, frame.spacing_mm) if smooth else np.zeros(3)
    kernels = [discrete_gaussian(sigma) for sigma in sigmas]
    return _sample(volume, frame, AIR_HU, kernels, linear=True)


def sample_labels(labels: LabelMap, frame: Frame) -> np.ndarray:
    """Sample a mask at every grid point of a frame: the label of the nearest voxel.

    Returns
    -------
    ndarray of the mask's dtype, shape ``frame.shape``
        0 beyond the mask.
    """
    return _sample(labels, frame, 0, [np.ones(1)] * 3, linear=False)[0]


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


def outside_share(frame: Frame, affine: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return which share of a frame's samples lies beyond a scan, 0 to 1, without its voxels.

    Parameters
    ----------
    frame : Frame
    affine : ndarray, shape (4, 4)
        Of the scan: voxel index to RAS+ millimeters.
    shape : tuple of 3 ints
        Of the scan.

    Examples
    --------
    >>> frame = BoxFrame(np.zeros(3), np.eye(3), (4, 4, 4), 1.0)
    >>> outside_share(frame, np.eye(4), (9, 9, 9)), outside_share(frame, np.eye(4), (1, 9, 9))
    (0.578125, 0.71875)
    """
    ijk = _frame_ijk(frame, affine)
    return float(1.0 - inside_grid(list(np.moveaxis(ijk, -1, 0)), shape).mean())


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
    size = np.array(array.shape)
    low, high = ijk.min(axis=0), ijk.max(axis=0)
    if np.any(high < -HALF_VOXEL) or np.any(low > size - 1 + HALF_VOXEL):
        return None
    start = np.clip(np.floor(low).astype(int) - 1, 0, size - 1)
    stop = np.clip(np.ceil(high).astype(int) + 2, 1, size)
    if all(len(kernel) == 1 for kernel in kernels):
        return _Crop(array[tuple(map(slice, start, stop))], start)
    reach = np.array([len(kernel) // 2 for kernel in kernels])
    wide_start, wide_stop = np.maximum(start - reach, 0), np.minimum(stop + reach, size)
    wide = array[tuple(map(slice, wide_start, wide_stop))]
    missing = np.stack([wide_start - start + reach, stop + reach - wide_stop], axis=-1)
    if missing.any():
        wide = np.pad(wide, missing, mode="edge")
    return _Crop(smoothed(wide, kernels), start)
