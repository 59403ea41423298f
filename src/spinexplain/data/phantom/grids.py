"""Where the phantom is evaluated: a box of voxels or a curved sheet, one interface.

Coordinates are kept as three arrays that broadcast against each other, so that a plane,
a volume and a sheet that follows the spine all run the same code at the cost of their own
number of points.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np

Index = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Grid:
    """Points as broadcastable RAS+ mm coordinates.

    Parameters
    ----------
    x, y, z : ndarray
        A box: shapes (X,1,1), (1,Y,1), (1,1,Z). A sheet: (R,1), (1,C), (R,1).
    y_axis, z_axis, x_axis : int
        The array axis along which each coordinate runs; ``x_axis`` is -1 in a sheet.
    pixel_mm : float
        Width over which an edge is spread when the points are turned into voxels.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    x_axis: int
    y_axis: int
    z_axis: int
    pixel_mm: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a field on this grid."""
        return np.broadcast_shapes(self.x.shape, self.y.shape, self.z.shape)

    def crop(self, center: np.ndarray, reach: tuple[float, float, float]) -> Index | None:
        """Return the index of the points within ``reach`` (x, y, z) of a centre, or None."""
        index = [slice(None)] * len(self.shape)
        axes = ((self.x, self.x_axis, 0), (self.y, self.y_axis, 1), (self.z, self.z_axis, 2))
        for values, axis, k in axes:
            if axis < 0:
                continue
            near = np.flatnonzero(np.abs(values.ravel() - center[k]) <= reach[k])
            if near.size == 0:
                return None
            index[axis] = slice(int(near[0]), int(near[-1]) + 1)
        return tuple(index)

    def at(self, index: Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return x, y, z (broadcastable) of a cropped block."""
        return self._cut(self.x, index), self._cut(self.y, index), self._cut(self.z, index)

    def _cut(self, values: np.ndarray, index: Index) -> np.ndarray:
        keep = tuple(
            part if size > 1 else slice(None)
            for part, size in zip(index, values.shape, strict=True)
        )
        return values[keep]


@dataclass(frozen=True, eq=False)
class TiltedGrid(Grid):
    """A box whose slices are tilted about the left-right axis: ``z`` has the shape (1,Y,Z)."""

    def crop(self, center: np.ndarray, reach: tuple[float, float, float]) -> Index | None:
        """Return the smallest box of points that holds all within ``reach`` of a centre."""
        near_x = np.abs(self.x.ravel() - center[0]) <= reach[0]
        near_y = np.abs(self.y - center[1]) <= reach[1]
        near = np.logical_and(near_y, np.abs(self.z - center[2]) <= reach[2])[0]
        lines = [np.flatnonzero(hits) for hits in (near_x, near.any(axis=1), near.any(axis=0))]
        if min(line.size for line in lines) == 0:
            return None
        return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)


def tilted_grid(
    x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray, pixel_mm: float, tilt: float
) -> Grid:
    """Return a grid with slices tilted by ``tilt`` radians, table positions ``z_mm``.

    Slices turn about the middle of ``y_mm``, as in a tilted gantry: rows of a slice run
    along (0, cos, sin), slices follow one another along z.

    Examples
    --------
    >>> grid = tilted_grid(np.arange(2.0), np.arange(3.0), np.arange(4.0), 1.0, 0.1)
    >>> grid.shape, grid.z.shape
    ((2, 3, 4), (1, 3, 4))
    """
    x, y, z = (np.asarray(v, np.float32) for v in (x_mm, y_mm, z_mm))
    middle = np.float32((y[0] + y[-1]) / 2)
    along = middle + (y - middle) * np.float32(np.cos(tilt))
    lift = (y - middle) * np.float32(np.sin(tilt))
    return TiltedGrid(
        x[:, None, None],
        along[None, :, None],
        z[None, None, :] + lift[None, :, None],
        0,
        1,
        2,
        pixel_mm,
    )


def box_grid(x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray, pixel_mm: float) -> Grid:
    """Return the grid of a box from its three coordinate vectors."""
    x, y, z = (np.asarray(v, np.float32) for v in (x_mm, y_mm, z_mm))
    return Grid(x[:, None, None], y[None, :, None], z[None, None, :], 0, 1, 2, pixel_mm)


def sheet_grid(x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray, pixel_mm: float) -> Grid:
    """Return the grid of a sheet: x and z by row, y by column."""
    x, y, z = (np.asarray(v, np.float32) for v in (x_mm, y_mm, z_mm))
    return Grid(x[:, None], y[None, :], z[:, None], -1, 1, 0, pixel_mm)


@dataclass(frozen=True, eq=False)
class AffineGrid(Grid):
    """Voxels of any affine: coarse, oblique, sheared, anywhere in the person."""

    affine: np.ndarray = dataclass_field(default_factory=lambda: np.eye(4))

    def crop(self, center: np.ndarray, reach: tuple[float, float, float]) -> Index | None:
        """Return the smallest box of voxels that holds all within ``reach`` of a center."""
        low, high = self.boxes(np.asarray(center)[None], np.asarray(reach)[None])
        if (high <= low).any():
            return None
        return tuple(slice(int(a), int(b)) for a, b in zip(low[0], high[0], strict=True))

    def boxes(self, centers: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return first and last-plus-one voxel indices, each (N, 3), of boxes around points.

        Where a box lies outside the grid its last index is not above its first.
        """
        back = np.linalg.inv(self.affine[:3, :3])
        middle = (centers - self.affine[:3, 3]) @ back.T
        half = reach @ np.abs(back).T
        shape = np.array(self.shape)
        low = np.clip(np.ceil(middle - half), 0, shape).astype(int)
        high = np.clip(np.floor(middle + half) + 1, 0, shape).astype(int)
        return low, high


def affine_grid(affine: np.ndarray, shape: tuple[int, int, int]) -> AffineGrid:
    """Return the grid of a volume's voxel centers, affine in RAS+ mm.

    Coordinates that do not change along an axis take no space there: the grid of an upright
    volume is as small as that of a box.

    Examples
    --------
    >>> grid = affine_grid(np.diag([2.0, 2.0, 3.0, 1.0]), (4, 5, 6))
    >>> grid.shape, grid.x.shape, round(grid.pixel_mm, 3)
    ((4, 5, 6), (4, 1, 1), 2.289)
    """
    lines = [np.arange(n, dtype=np.float32) for n in shape]
    steps = [line.reshape([-1 if a == k else 1 for a in range(3)]) for k, line in enumerate(lines)]
    parts = []
    for row in np.asarray(affine, np.float64)[:3]:
        total = np.full((1, 1, 1), row[3], np.float32)
        for k in range(3):
            if abs(row[k]) > _STILL:
                total = total + np.float32(row[k]) * steps[k]
        parts.append(total)
    pixel = float(np.abs(np.linalg.det(affine[:3, :3])) ** (1 / 3))
    x, y, z = parts
    return AffineGrid(x, y, z, 0, 1, 2, pixel, np.asarray(affine, np.float64))


_STILL = 1e-9
