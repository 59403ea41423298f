"""The frame of a sheet or box that is stored without its place in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXTENT_MM = 112
"""Rows and columns of a stored sheet, in samples of 1 mm."""


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """As much of a patch's frame as a network asks for: where the centroid lies in it.

    Parameters
    ----------
    center : tuple of 2 or 3 floats
        Index of the centroid: (row, column) of a sheet.
    shape : tuple of 2 or 3 ints
    spacing_mm : float
    """

    center: tuple[float, ...]
    shape: tuple[int, ...] = (EXTENT_MM, EXTENT_MM)
    spacing_mm: float = 1.0

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Return the stored centroid, whatever point is asked for."""
        return np.array([*self.center, 0.0])

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Refuse: a stored sheet has lost its place in the patient."""
        raise AssertionError("a stored sheet has no place in the patient")
