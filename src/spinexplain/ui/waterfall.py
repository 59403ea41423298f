"""Bars that add up: where each begins and ends on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bar:
    """A signed bar on the shared axis of a waterfall.

    Parameters
    ----------
    value : float
        Its signed length.
    start, end : float
        Where it begins and ends, percent of the axis from the left.
    """

    value: float
    start: float
    end: float

    @property
    def left(self) -> float:
        """The leftmost percent it covers."""
        return min(self.start, self.end)

    @property
    def width(self) -> float:
        """Percent of the axis it covers."""
        return abs(self.end - self.start)


def waterfall(values: Sequence[float]) -> tuple[list[Bar], Bar, float]:
    """Lay signed values end to end on one axis.

    Returns
    -------
    bars : list of Bar
        One per value; each starts where the one before ends.
    total : Bar
        From zero to the sum.
    zero : float
        Percent of the axis where it is zero.

    Examples
    --------
    >>> bars, total, zero = waterfall([3.0, -1.0])
    >>> [(round(bar.start), round(bar.end)) for bar in bars], round(total.end), zero
    ([(0, 100), (100, 67)], 67, 0.0)
    """
    edges = np.concatenate([[0.0], np.cumsum(values)])
    percent, zero = _axis(edges)
    bars = [
        Bar(float(value), float(start), float(end))
        for value, start, end in zip(values, percent[:-1], percent[1:], strict=True)
    ]
    return bars, Bar(float(edges[-1]), zero, float(percent[-1])), zero


def side_by_side(values: Sequence[float]) -> tuple[list[Bar], None, float]:
    """Lay signed values on one axis, each from zero: for scores that do not add up."""
    percent, zero = _axis(np.array([0.0, *values]))
    ends = percent[1:].tolist()
    return [Bar(float(v), zero, end) for v, end in zip(values, ends, strict=True)], None, zero


def _axis(edges: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = float(edges.min()), float(edges.max())
    span = (high - low) or 1.0
    return (edges - low) / span * 100, (0.0 - low) / span * 100
