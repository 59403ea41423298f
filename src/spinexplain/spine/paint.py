"""Painting heat maps back on the CT's own voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinexplain.errors import GeometryError, ShapeError
from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine
from spinexplain.spine.resample import resample_affine, resample_points
from spinexplain.spine.sampling import box_to_voxel
from spinexplain.types import Frame, Volume

_TABLE_STEP_MM = 0.5


@dataclass(frozen=True, eq=False)
class PaintedMap:
    """A heat map on a part of a CT's lattice.

    Parameters
    ----------
    array : ndarray of float32, shape (X, Y, Z)
        0 where the patch does not reach.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS+ mm: the CT's axes and spacing, the origin shifted.
    half_thickness_mm : float
        How far to either side of a sheet voxels were painted; 0 for a box.
    """

    array: np.ndarray
    affine: np.ndarray
    half_thickness_mm: float = 0.0


def paint_back(
    heatmap: np.ndarray, frame: Frame, volume: Volume, half_thickness_mm: float | None = None
) -> PaintedMap:
    """Paint a patch's heat map on the CT's own voxels.

    Every voxel inside a box, or within the half-thickness of a sheet, looks up the heat map
    linearly at its own position; so there are no holes, however coarse or oblique the CT.

    Parameters
    ----------
    heatmap : ndarray, shape ``frame.shape``
    frame : Frame
        Where the patch lies.
    volume : Volume
        The CT; only its lattice is used.
    half_thickness_mm : float, optional
        For a sheet; left out, and never less than, the length of a voxel across the sheet.
        Left out, it is at least one sample of the sheet, too.

    Returns
    -------
    PaintedMap
        The smallest part of the lattice that holds the patch.

    Raises
    ------
    ShapeError
        If the heat map does not have the frame's shape.
    GeometryError
        If the patch lies wholly outside the CT.

    Notes
    -----
    For a sheet, row and distance of a voxel depend on its left-right and cranio-caudal
    position only. They are tabulated every 0.5 mm and interpolated, exact to 0.01 mm for
    curves of a radius above 30 mm.

    Examples
    --------
    >>> volume = Volume(np.zeros((9, 9, 9), np.int16), np.eye(4))
    >>> frame = BoxFrame(np.full(3, 4.0), np.eye(3), (3, 3, 3), 1.0)
    >>> painted = paint_back(np.ones((3, 3, 3)), frame, volume)
    >>> painted.array.shape, painted.affine[:3, 3].tolist(), float(painted.array.min())
    ((3, 3, 3), [3.0, 3.0, 3.0], 1.0)
    """
    return painter(frame, volume, half_thickness_mm)(heatmap)


def painter(
    frame: Frame, volume: Volume, half_thickness_mm: float | None = None
) -> Callable[[np.ndarray], PaintedMap]:
    """Prepare :func:`paint_back` for many heat maps of one patch.

    Where each voxel lies on the patch is worked out once, not for every map.

    Returns
    -------
    callable
        Takes a heat map of shape ``frame.shape``, returns the :class:`PaintedMap`.
    """
    if isinstance(frame, SheetFrame):
        paint = _sheet_painter(frame, volume, half_thickness_mm)
    else:
        paint = _lattice_painter(frame, volume)

    def checked(heatmap: np.ndarray) -> PaintedMap:
        if np.shape(heatmap) != tuple(frame.shape):
            raise ShapeError(
                f"heat map has shape {np.shape(heatmap)}; expected its frame's "
                f"{tuple(frame.shape)}."
            )
        return paint(np.asarray(heatmap, dtype=np.float32))

    return checked


def on_full_grid(painted: PaintedMap, volume: Volume) -> PaintedMap:
    """Set a painted part into the CT's whole grid, 0 elsewhere.

    Raises
    ------
    GeometryError
        If the part was not painted on this CT's lattice.
    """
    ijk = apply_affine(np.linalg.inv(volume.affine), painted.affine[:3, 3])
    start = np.rint(ijk).astype(int)
    stop = start + painted.array.shape
    same_axes = np.allclose(painted.affine[:3, :3], volume.affine[:3, :3])
    fits = np.all(start >= 0) and np.all(stop <= volume.array.shape)
    if not (same_axes and fits and np.allclose(ijk, start, atol=1e-3)):
        raise GeometryError(
            "the painted map lies on another lattice than the CT; "
            "expected the CT it was painted on."
        )
    full = np.zeros(volume.array.shape, dtype=np.float32)
    full[tuple(map(slice, start, stop))] = painted.array
    return PaintedMap(full, volume.affine, painted.half_thickness_mm)


def _lattice_painter(frame: Frame, volume: Volume) -> Callable[[np.ndarray], PaintedMap]:
    start, shape = _sub_box(volume, frame.to_mm(_surface(frame.shape)))
    affine = _shifted(volume.affine, start)
    if isinstance(frame, BoxFrame):
        matrix, offset = box_to_voxel(frame, affine)
        inverse = np.linalg.inv(matrix)
        back = -inverse @ offset
        return lambda heat: PaintedMap(resample_affine(heat, inverse, back, shape, 0.0)[0], affine)
    index = frame.to_patch(_lattice_mm(affine, shape))
    return lambda heat: PaintedMap(resample_points(heat, index, 0.0)[0], affine)


def _sheet_painter(
    frame: SheetFrame, volume: Volume, half_thickness_mm: float | None
) -> Callable[[np.ndarray], PaintedMap]:
    voxel_mm = _voxel_across(frame, volume.affine)
    wanted = frame.spacing_mm if half_thickness_mm is None else half_thickness_mm
    half = max(wanted, voxel_mm)
    rim = _surface((*frame.shape, 2))
    rim[:, 2] = np.sign(rim[:, 2] - 0.5) * half
    start, shape = _sub_box(volume, frame.to_mm(rim))
    affine = _shifted(volume.affine, start)
    index = _sheet_index(frame, _lattice_mm(affine, shape))
    near = np.abs(index[..., 2]) <= half + 1e-6
    on_sheet = index[near][:, :2]

    def paint(heat: np.ndarray) -> PaintedMap:
        painted = np.zeros(shape, dtype=np.float32)
        painted[near] = resample_points(heat, on_sheet, 0.0)[0]
        return PaintedMap(painted, affine, half)

    return paint


def _voxel_across(frame: SheetFrame, affine: np.ndarray) -> float:
    """Return the greatest length of a voxel along the sheet's normals, mm."""
    rows = np.arange(frame.shape[0], dtype=float)
    feet = np.stack([rows, 0 * rows, 0 * rows], axis=-1)
    normals = frame.to_mm(feet + np.array([0, 0, 1])) - frame.to_mm(feet)
    return float(np.abs(normals @ affine[:3, :3]).sum(axis=-1).max())


def _sheet_index(frame: SheetFrame, xyz_mm: np.ndarray) -> np.ndarray:
    """Return (row, column, offset) of a lattice; see the notes of :func:`paint_back`."""
    low, high = (end(xyz_mm.reshape(-1, 3), axis=0) for end in (np.min, np.max))
    counts = np.ceil((high - low) / _TABLE_STEP_MM).astype(int) + 2
    x, z = (low[i] + _TABLE_STEP_MM * np.arange(counts[i]) for i in (0, 2))
    table = frame.to_patch(np.stack(np.broadcast_arrays(x[:, None], low[1], z), axis=-1))
    cells = (xyz_mm[..., [0, 2]] - low[[0, 2]]) / _TABLE_STEP_MM
    row, offset = (resample_points(table[..., i], cells, 0.0)[0] for i in (0, 2))
    ends = np.array([low, high + np.array([0, 1, 0])])
    column = np.interp(xyz_mm[..., 1], ends[:, 1], frame.to_patch(ends)[:, 1])
    return np.stack([row, column, offset], axis=-1)


def _surface(shape: tuple[int, ...]) -> np.ndarray:
    """Return indices (n, N) on the outer faces of a patch, half a sample past its grid."""
    faces = []
    for axis in range(len(shape)):
        steps = [np.arange(n + 1) - 0.5 for n in shape]
        steps[axis] = np.array([-0.5, shape[axis] - 0.5])
        faces.append(np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, len(shape)))
    return np.concatenate(faces)


def _sub_box(volume: Volume, points_mm: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return first voxel and shape of the part of the lattice within the points' bounds."""
    ijk = apply_affine(np.linalg.inv(volume.affine), points_mm)
    start = np.maximum(np.ceil(ijk.min(axis=0) - 1e-6), 0).astype(int)
    stop = np.minimum(np.floor(ijk.max(axis=0) + 1e-6) + 1, volume.array.shape).astype(int)
    if np.any(stop <= start):
        raise GeometryError(
            "the patch holds no voxel of the CT; expected one that overlaps it. "
            "Was it made from another scan?"
        )
    x, y, z = (stop - start).tolist()
    return start, (x, y, z)


def _shifted(affine: np.ndarray, start: np.ndarray) -> np.ndarray:
    shifted = affine.copy()
    shifted[:3, 3] = apply_affine(affine, start)
    return shifted


def _lattice_mm(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    return apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))
