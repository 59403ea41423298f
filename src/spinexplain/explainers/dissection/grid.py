"""Between the cells of a feature map and the samples of the crop it was computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.models.receptive import ReceptiveField


@dataclass(frozen=True)
class CellGrid:
    """Where the cells of a feature map lie on a crop, the same along every axis.

    Parameters
    ----------
    cells : tuple of int
        Cells along each axis.
    side : int
        Samples along each axis of the crop.
    start : float
        Crop index of the first cell's center.
    step : float
        Samples between neighboring cells.
    """

    cells: tuple[int, ...]
    side: int
    start: float
    step: float

    def nearest(self, axis: int) -> np.ndarray:
        """Return the cell nearest to each sample along an axis, shape (side,)."""
        at = (np.arange(self.side) - self.start) / self.step
        return np.clip(np.floor(at + 0.5), 0, self.cells[axis] - 1).astype(int)

    def average(self, masks: np.ndarray) -> np.ndarray:
        """Return the share of each cell's samples inside masks.

        Parameters
        ----------
        masks : ndarray, shape (R, *S)

        Returns
        -------
        ndarray of float32, shape (R, *G)
            Every sample belongs to its nearest cell; cells without samples get 0.
        """
        shares = np.asarray(masks, np.float32)
        for axis in range(len(self.cells)):
            chosen = np.eye(self.cells[axis], dtype=np.float32)[self.nearest(axis)]
            weights = chosen / np.maximum(chosen.sum(axis=0), 1)
            shares = np.moveaxis(np.moveaxis(shares, axis + 1, -1) @ weights, -1, axis + 1)
        return shares

    def samples(self) -> np.ndarray:
        """Return how many samples belong to each cell, int, shape (*G)."""
        counts = np.ones((1,) * len(self.cells), int)
        for axis, cells in enumerate(self.cells):
            view = [1] * len(self.cells)
            view[axis] = cells
            counts = counts * np.bincount(self.nearest(axis), minlength=cells).reshape(view)
        return counts

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Interpolate a map of cells linearly onto the crop.

        Parameters
        ----------
        values : ndarray, shape (*G)

        Returns
        -------
        ndarray of float32, shape (side, ...)
            Constant beyond the outermost cells' centers.

        Examples
        --------
        >>> CellGrid((2,), 4, 0.5, 2.0).spread(np.array([0.0, 1.0])).tolist()
        [0.0, 0.25, 0.75, 1.0]
        """
        dense = np.asarray(values, np.float32)
        for axis in range(len(self.cells)):
            dense = np.moveaxis(np.moveaxis(dense, axis, -1) @ self._hats(axis), -1, axis)
        return dense

    def plane(self, axis: int, index: int) -> np.ndarray:
        """Return the weights of an axis' cells in the plane at ``index``, shape (G_axis,)."""
        return self._hats(axis)[:, index]

    def _hats(self, axis: int) -> np.ndarray:
        cells = self.cells[axis]
        at = np.clip((np.arange(self.side) - self.start) / self.step, 0, cells - 1)
        hats = np.maximum(1 - np.abs(at - np.arange(cells)[:, None]), 0)
        return hats.astype(np.float32)


def cell_grid(
    cells: tuple[int, ...], side: int, size: int, field: ReceptiveField | None = None
) -> CellGrid:
    """Place a feature map on a crop.

    Parameters
    ----------
    cells : tuple of int
    side : int
        Samples along each axis of the crop.
    size : int
        Samples along each axis of the network's input, which spans the same crop.
    field : ReceptiveField, optional
        Of the layer; without it the cells are spread evenly.

    Examples
    --------
    >>> cell_grid((7, 7), 112, 224, ReceptiveField(150, 32, 15.5))
    CellGrid(cells=(7, 7), side=112, start=7.5, step=16.0)
    >>> cell_grid((7, 7), 112, 224).start
    7.5
    """
    ratio = side / size
    if field is None:
        step = side / cells[0]
        return CellGrid(cells, side, step / 2 - 0.5, step)
    return CellGrid(cells, side, (field.start + 0.5) * ratio - 0.5, field.stride * ratio)
