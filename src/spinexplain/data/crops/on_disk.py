"""Patches of cohorts that stay on disk until they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spinexplain.data.cohort import CohortArray

_KEPT = 200  # boxes, 560 MB: the fractures of a small cohort come in every epoch


@dataclass(frozen=True, eq=False)
class StoredPatches:
    """Rows of cohorts' arrays, read when they are indexed, like one array.

    Ten thousand boxes with their margin are 30 GB, a step of a training needs a few of them:
    reading one costs a tenth of a step.

    Parameters
    ----------
    arrays : sequence of CohortArray
        Of one kind.
    part, row : ndarray of int, shape (N,)
        For every patch which of the arrays holds it, and in which row.
    shape : tuple of int
        (N, *S).
    """

    arrays: Sequence[CohortArray]
    part: np.ndarray
    row: np.ndarray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, array: CohortArray, rows: np.ndarray, patch: tuple[int, ...]) -> StoredPatches:
        """Return the patches of some rows of one cohort, each of the shape ``patch``."""
        return cls((array,), np.zeros(len(rows), int), np.asarray(rows), (len(rows), *patch))

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        """Read one patch, shape (*S), or several, shape (k, *S)."""
        chosen = np.arange(len(self))[index]
        if chosen.ndim == 0:
            return _read(self.arrays[int(self.part[chosen])], int(self.row[chosen]))
        read = [self[int(i)] for i in chosen]
        return np.stack(read) if read else np.empty((0, *self.shape[1:]), np.int16)

    def take(self, index: np.ndarray) -> StoredPatches:
        """Return the patches of ``index`` (integers or a boolean mask), still on disk."""
        part, row = self.part[index], self.row[index]
        return StoredPatches(self.arrays, part, row, (len(row), *self.shape[1:]))


Patches = np.ndarray | StoredPatches
"""Patches (N, *S) that are indexed by row, in memory or on disk."""


@lru_cache(maxsize=_KEPT)
def _read(array: CohortArray, row: int) -> np.ndarray:
    patch: np.ndarray = array[row]
    patch.setflags(write=False)  # it is handed out again
    return patch


def one_after_another(parts: Sequence[StoredPatches]) -> StoredPatches:
    """Put the patches of several sets after one another, still on disk."""
    first = np.cumsum([0, *(len(part.arrays) for part in parts)])
    return StoredPatches(
        tuple(array for part in parts for array in part.arrays),
        np.concatenate([part.part + at for part, at in zip(parts, first, strict=False)]),
        np.concatenate([part.row for part in parts]),
        (sum(len(part) for part in parts), *parts[0].shape[1:]),
    )
