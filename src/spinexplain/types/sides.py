"""Which side of a vertebra a network finds graver, and how far that could be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SideReliability:
    """How often a network named the right side where it was tested.

    Parameters
    ----------
    cohort : str
        Name of the held-out phantoms.
    offsets_mm : tuple of float
        How far beside the middle sheet it is asked, on either side.
    least : float
        Difference of expected grades from which a side is named.
    right, low, high : float
        Share of one-sided fractures whose graver side is the right one, both sides counting the
        same, with its 95 % interval by person; chance is 0.5.
    fractures : int
        How many one-sided fractures that was asked of.
    named, right_of_named : float
        Share of them in which a side was named; and of those, in which it was the right one.
    straight_named : float
        Share of fractures as deep left as right in which a side was named all the same.
    straight : int
        How many there were.
    heights : float
        Share in which heights measured on the true mask, left minus right, chose the right side.
    """

    cohort: str
    offsets_mm: tuple[float, ...]
    least: float
    right: float
    low: float
    high: float
    fractures: int
    named: float
    right_of_named: float
    straight_named: float
    straight: int
    heights: float


@dataclass(frozen=True, eq=False)
class SideEvidence:
    """What a network makes of parallel sheets of one vertebra.

    Parameters
    ----------
    offsets_mm : tuple of float
        Of the sheets, from the patient's right (negative) to the left; 0 is the middle one.
    grades : tuple of float
        Expected Genant grade of each, 0 to 3.
    maps : tuple of ndarray of float32, shape (*S)
        Where each sheet speaks for the class that the middle one was given.
    difference : float
        Mean grade on the left minus that on the right.
    least : float
        Difference from which a side is named.

    Examples
    --------
    >>> sheets = (np.zeros((1, 1)),) * 3
    >>> SideEvidence((-8.0, 0.0, 8.0), (0.5, 2.0, 2.5), sheets, 2.0, 0.6).side
    'left'
    """

    offsets_mm: tuple[float, ...]
    grades: tuple[float, ...]
    maps: tuple[np.ndarray, ...]
    difference: float
    least: float

    @property
    def side(self) -> str | None:
        """``"left"`` or ``"right"``, the patient's; None where neither is clearly graver."""
        if abs(self.difference) < self.least:
            return None
        return "left" if self.difference > 0 else "right"
