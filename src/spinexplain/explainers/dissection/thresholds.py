"""The threshold of each unit, exact, from a stream that is never held in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.errors import ConfigError, ShapeError

# A few units or samples at a time: their copies stay small, and in the cache.
_UNITS_AT_ONCE = 32
_VALUES_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class Tails:
    """What lies above each unit's threshold.

    Parameters
    ----------
    thresholds : ndarray of float32, shape (U,)
        T, the smallest t with P(a > t) at most the wanted share.
    mass : ndarray of float64, shape (U,)
        The share P(a > T) that was really reached: less where values are tied at T, as the
        many zeros of a unit that is seldom active.
    total : int
        Values seen of each unit.
    starts : ndarray of int64, shape (U + 1,)
        Where each unit's entries begin in the next two.
    places : ndarray of int64, shape (M,)
        Position in the stream (sample x cells + cell) of every value above its unit's
        threshold, rising within a unit. Empty unless asked for.
    values : ndarray of float32, shape (M,)
        Those values.
    """

    thresholds: np.ndarray
    mass: np.ndarray
    total: int
    starts: np.ndarray
    places: np.ndarray
    values: np.ndarray

    @property
    def units(self) -> np.ndarray:
        """Whose entry each of ``places`` is, int64, shape (M,)."""
        return np.repeat(np.arange(len(self.thresholds)), np.diff(self.starts))

    def of_unit(self, unit: int) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values of one unit."""
        mine = slice(self.starts[unit], self.starts[unit + 1])
        return self.places[mine], self.values[mine]


def kept_count(total: int, quantile: float) -> int:
    """Return how many values may exceed the threshold, plus the one that is the threshold.

    Examples
    --------
    >>> kept_count(1000, 0.995)
    6
    """
    return math.floor(round(total * (1 - quantile), 9)) + 1


class TailFilter:
    """Find every unit's threshold in one pass, keeping little more than the tail itself.

    Parameters
    ----------
    total : int
        Values that will come for each unit: samples x cells.
    quantile : float
        0.995 leaves at most 0.5 % of a unit's values above its threshold.
    located : bool
        Keep where the values above the threshold were, too; costs twice the memory.

    Raises
    ------
    ConfigError
        If the quantile is not between 0 and 1, or ``total`` is 0.

    Notes
    -----
    T is the k-th largest value, k = floor(total (1 - quantile)) + 1: at most k - 1 values
    exceed it, and below it there are k. Once a unit holds k values, nothing at or below the
    smallest of the k largest can change its threshold and is dropped on arrival; when the
    buffer of 2 k is full it is cut to the k largest and the bar rises. Memory is 8 k bytes
    a unit, whatever the length of the stream.

    Examples
    --------
    >>> stream = TailFilter(total=8, quantile=0.75)
    >>> stream.add(np.array([[[5.0, 1, 7, 3]], [[2.0, 8, 6, 4]]]))
    >>> tails = stream.finish()
    >>> float(tails.thresholds[0]), float(tails.mass[0])
    (6.0, 0.25)
    """

    def __init__(self, total: int, quantile: float = 0.995, located: bool = False) -> None:
        if not 0 < quantile < 1:
            raise ConfigError(
                f"quantile is {quantile:g}; expected a number between 0 and 1, such as 0.995."
            )
        if total < 1:
            raise ConfigError("there is no activation to find a threshold of; expected samples.")
        self._total, self._located = total, located
        self._keep = kept_count(total, quantile)
        self._seen = 0
        self._values = np.zeros((0, 0), np.float32)
        self._places = np.zeros((0, 0), np.int64)
        self._fill = np.zeros(0, np.int64)
        self._bar = np.zeros(0, np.float32)

    def add(self, activations: Any) -> None:
        """Take the next samples.

        Parameters
        ----------
        activations : array or CPU tensor, shape (N, U, *G)
            Finite values.

        Raises
        ------
        ShapeError
            If the number of units changes, or more values come than were announced.
        """
        batch = np.asarray(activations, dtype=np.float32)
        batch = np.ascontiguousarray(batch.reshape(*batch.shape[:2], -1))
        samples, units, cells = batch.shape
        if not self._seen:
            self._start(units, cells)
        if units != len(self._bar) or self._seen + samples * cells > self._total:
            raise ShapeError(
                f"activations have {units} units and bring {self._seen + samples * cells} values "
                f"a unit; expected {len(self._bar)} units and {self._total} values in all."
            )
        free = (self._values.shape[1] - self._keep) // cells
        room = max(min(free, _VALUES_AT_ONCE // (units * cells)), 1)
        for start in range(0, samples, room):
            self._take(batch[start : start + room])

    def finish(self) -> Tails:
        """Return the thresholds and what lies above them; once, it hands its buffers over.

        Raises
        ------
        ShapeError
            If fewer values came than were announced.
        """
        if self._seen != self._total:
            raise ShapeError(
                f"{self._seen} values of each unit came; expected {self._total}. "
                "Add every sample before asking for thresholds."
            )
        self._compact(np.flatnonzero(self._fill > self._keep))
        held = self._values[:, : self._keep]
        thresholds = held.min(axis=1)
        if self._located:
            return self._located_tails(thresholds)
        counts = np.count_nonzero(held > thresholds[:, None], axis=1)
        nothing = np.zeros(0, np.int64)
        starts = np.zeros(len(counts) + 1, np.int64)
        return Tails(thresholds, counts / self._total, self._total, starts, nothing, held[:0, 0])

    def _located_tails(self, thresholds: np.ndarray) -> Tails:
        """Move what lies above the thresholds to the front of the buffers and hand them over.

        A unit's entries never reach beyond its own row, so nothing is overwritten before it
        is read, and no second copy of the tails is made.
        """
        starts = np.zeros(len(thresholds) + 1, np.int64)
        for unit, threshold in enumerate(thresholds):
            row, where = self._values[unit, : self._keep], self._places[unit, : self._keep]
            above = np.flatnonzero(row > threshold)
            above = above[np.argsort(where[above], kind="stable")]
            values, places = row[above], where[above]
            mine = slice(starts[unit], starts[unit] + len(above))
            self._values.reshape(-1)[mine], self._places.reshape(-1)[mine] = values, places
            starts[unit + 1] = mine.stop
        del row, where
        values, places = self._values, self._places
        self._values, self._places = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.int64)
        values.resize(int(starts[-1]), refcheck=False)
        places.resize(int(starts[-1]), refcheck=False)
        return Tails(thresholds, np.diff(starts) / self._total, self._total, starts, places, values)

    def _start(self, units: int, cells: int) -> None:
        capacity = min(self._keep + max(self._keep, cells), self._total)
        self._values = np.full((units, capacity), -np.inf, np.float32)
        if self._located:
            kind = np.int32 if self._total < 2**31 else np.int64
            self._places = np.zeros((units, capacity), kind)
        self._fill = np.zeros(units, np.int64)
        self._bar = np.full(units, -np.inf, np.float32)

    def _take(self, batch: np.ndarray) -> None:
        samples, units, cells = batch.shape
        flat = np.flatnonzero(batch > self._bar[:, None])
        unit = flat // cells % units
        counts = np.bincount(unit, minlength=units)
        if np.any(self._fill + counts > self._values.shape[1]):
            self._compact(np.flatnonzero(self._fill > self._keep))
            passed = batch.reshape(-1)[flat] > self._bar[unit]
            flat, unit = flat[passed], unit[passed]
            counts = np.bincount(unit, minlength=units)
        order = np.argsort(unit.astype(np.int32), kind="stable")
        flat, unit = flat[order], unit[order]
        first = np.cumsum(counts) - counts
        column = np.arange(len(unit)) + (self._fill - first)[unit]
        self._values[unit, column] = batch.reshape(-1)[flat]
        if self._located:
            self._places[unit, column] = self._seen + flat // (cells * units) * cells + flat % cells
        self._fill += counts
        self._seen += samples * cells

    def _compact(self, rows: np.ndarray) -> None:
        """Cut the rows, each fuller than ``keep``, to their largest ``keep`` values."""
        if not len(rows):
            return
        cut = self._values.shape[1] - self._keep
        for start in range(0, len(rows), _UNITS_AT_ONCE):
            some = rows[start : start + _UNITS_AT_ONCE]
            if self._located:
                order = np.argpartition(self._values[some], cut, axis=1)[:, cut:]
                self._places[some, : self._keep] = np.take_along_axis(
                    self._places[some], order, axis=1
                )
                held = np.take_along_axis(self._values[some], order, axis=1)
            else:
                held = np.partition(self._values[some], cut, axis=1)[:, cut:]
            self._values[some, : self._keep] = held
            self._values[some, self._keep :] = -np.inf
            self._bar[some] = held.min(axis=1)
        self._fill[rows] = self._keep
