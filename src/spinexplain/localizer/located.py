"""What the localizer says of a scan: centers, several namings with probabilities, a refusal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError, ShapeError
from spinexplain.spine.quality import TOUCHES_BORDER
from spinexplain.types import Vertebra

SACRUM, FIRST_RIB = "sacrum", "first rib"
LANDMARKS = (SACRUM, FIRST_RIB)
"""Ends of the thoracolumbar spine that names can be counted from."""

_REGULAR = tuple(
    level for level in VertebraLevel if level not in (VertebraLevel.T13, VertebraLevel.L6)
)
_ROUNDING = 1e-6


@dataclass(frozen=True)
class LocatedCenter:
    """The center of one vertebral body, not yet named.

    Parameters
    ----------
    center_mm : tuple of 3 floats
        RAS+ mm.
    found : float
        Probability that a body is there, 0 to 1.
    cut : bool
        Whether the border of the scan cuts the body.
    """

    center_mm: tuple[float, float, float]
    found: float
    cut: bool = False


@dataclass(frozen=True)
class Naming:
    """One hypothesis of which levels the centers are.

    Parameters
    ----------
    levels : tuple of VertebraLevel or None
        One a center, head to foot; None where the center would lie beyond the named levels,
        as in the sacrum.
    probability : float
        That every one of these names is right, 0 to 1.

    Raises
    ------
    LabelError
        If no center has a name, or the names do not run from head to foot.

    Examples
    --------
    >>> Naming((VertebraLevel.L4, VertebraLevel.L5, None), 0.7).first
    <VertebraLevel.L4: 'L4'>
    """

    levels: tuple[VertebraLevel | None, ...]
    probability: float

    def __post_init__(self) -> None:
        named = [level for level in self.levels if level is not None]
        if not named or not all(above.is_cranial_to(below) for above, below in pairwise(named)):
            words = ", ".join("none" if level is None else level.value for level in self.levels)
            raise LabelError(
                f"levels of a naming are {words or 'empty'}; expected at least one, each below "
                "the one before it. Name the centers from head to foot."
            )

    @property
    def first(self) -> VertebraLevel:
        """The uppermost named level."""
        return next(level for level in self.levels if level is not None)

    @property
    def last(self) -> VertebraLevel:
        """The lowermost named level."""
        return next(level for level in reversed(self.levels) if level is not None)


@dataclass(frozen=True)
class Localization:
    """The vertebrae of a scan as the localizer found them.

    Parameters
    ----------
    centers : tuple of LocatedCenter
        Head to foot.
    namings : tuple of Naming
        The most probable first; their probabilities sum to at most 1.
    landmarks : tuple of str
        Which of ``LANDMARKS`` are in view.
    confirmed : bool
        Whether a person named the first level.
    refused : str or None
        Why this is no thoracic or lumbar spine to grade; centers and namings are empty then.
    doubts : tuple of str
        What speaks against the names as a whole, a sentence each, first letter small.

    Raises
    ------
    ShapeError
        If a naming has not one level a center, namings are not sorted or sum to more than 1,
        or there are neither namings nor a reason to refuse.

    Examples
    --------
    >>> centers = tuple(LocatedCenter((0.0, 0.0, -30.0 * i), 0.99) for i in range(2))
    >>> levels = VertebraLevel.T12, VertebraLevel.L1, VertebraLevel.L2
    >>> found = Localization(centers, (Naming(levels[:2], 0.6), Naming(levels[1:], 0.3)))
    >>> found.certain
    False
    >>> [vertebra.level.value for vertebra in found.vertebrae()]
    ['T12', 'L1']
    >>> [one.level.value for one in found.with_first_level(VertebraLevel.L1).vertebrae()]
    ['L1', 'L2']
    """

    centers: tuple[LocatedCenter, ...] = ()
    namings: tuple[Naming, ...] = ()
    landmarks: tuple[str, ...] = ()
    refused: str | None = None
    confirmed: bool = False
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.refused is None) != bool(self.namings):
            raise ShapeError(
                f"a Localization has {len(self.namings)} namings and refused is "
                f"{self.refused!r}; expected namings or a reason to refuse. Give one of the two."
            )
        for naming in self.namings:
            if len(naming.levels) != len(self.centers):
                raise ShapeError(
                    f"a naming has {len(naming.levels)} levels for {len(self.centers)} centers; "
                    "expected one a center. Use None where a center has no name."
                )
        odds = [naming.probability for naming in self.namings]
        if odds != sorted(odds, reverse=True) or sum(odds) > 1 + _ROUNDING:
            raise ShapeError(
                f"probabilities of the namings are {odds}; expected them to fall and to sum to "
                "at most 1. Sort the namings, or merge equal ones."
            )

    @property
    def probability(self) -> float:
        """Of the first naming; 0 where the scan is refused."""
        return self.namings[0].probability if self.namings else 0.0

    @property
    def anchored(self) -> bool:
        """Whether sacrum or first rib is in view, so that levels can be counted."""
        return bool(set(self.landmarks) & set(LANDMARKS))

    @property
    def certain(self) -> bool:
        """Whether the names can be trusted: only where a person named the first level.

        The networks' own probability is too often wrong where it is high; see the figures in
        docs/localizer.md.
        """
        return self.confirmed

    @property
    def start(self) -> int:
        """Which center is the uppermost one with a name under the first naming."""
        return self.namings[0].levels.index(self.namings[0].first)

    @property
    def next_first_level(self) -> VertebraLevel | None:
        """What the uppermost named center is under the next hypothesis that differs there.

        Examples
        --------
        >>> names = [(VertebraLevel.T12,), (VertebraLevel.L1,)]
        >>> namings = tuple(Naming(one, odds) for one, odds in zip(names, (0.6, 0.4)))
        >>> Localization((LocatedCenter((0.0, 0.0, 0.0), 1.0),), namings).next_first_level
        <VertebraLevel.L1: 'L1'>
        """
        if not self.namings:
            return None
        first = self.namings[0].first
        others = (naming.levels[self.start] for naming in self.namings[1:])
        return next((level for level in others if level not in (None, first)), None)

    def with_first_level(self, level: VertebraLevel) -> Localization:
        """Return the same centers, named so that ``level`` is the uppermost one with a name.

        The person who names it is believed: the probability becomes 1. Of the namings that
        call this center so the most probable is taken; without one the levels follow in
        regular order, 12 thoracic and 5 lumbar.

        Raises
        ------
        ConfigError
            If the scan was refused.

        Examples
        --------
        >>> found = Localization(
        ...     tuple(LocatedCenter((0.0, 0.0, -30.0 * i), 1.0) for i in range(3)),
        ...     (Naming((VertebraLevel.L1, VertebraLevel.L2, VertebraLevel.L3), 0.9),),
        ... )
        >>> shifted = found.with_first_level(VertebraLevel.L4)
        >>> [level and level.value for level in shifted.namings[0].levels]
        ['L4', 'L5', None]
        """
        if self.refused is not None:
            raise ConfigError(
                f"first level {level.value} was given, but no vertebrae were found: "
                f"{self.refused}. Give a mask or centroids instead."
            )
        start = self.start
        same = (naming.levels for naming in self.namings if naming.levels[start] is level)
        regular = (*[None] * start, *_in_order(level, len(self.centers) - start))
        levels = next(same, regular)
        return replace(self, namings=(Naming(levels, 1.0),), confirmed=True)

    def vertebrae(self, naming: int = 0) -> list[Vertebra]:
        """Return the centers under one of the namings, as the rest of the product takes them.

        Parameters
        ----------
        naming : int
            Index in ``namings``.

        Returns
        -------
        list of Vertebra
            Head to foot, without centers that have no name. A body that the border of the
            scan cuts is flagged ``touches_border``.

        Raises
        ------
        LabelError
            If the scan was refused.
        """
        if self.refused is not None:
            raise LabelError(
                f"no thoracic or lumbar vertebrae were found in this scan: {self.refused}. Give "
                "a CT of the trunk, or a mask or centroids."
            )
        pairs = zip(self.centers, self.namings[naming].levels, strict=True)
        return [
            Vertebra(level, center.center_mm, (TOUCHES_BORDER,) if center.cut else ())
            for center, level in pairs
            if level is not None
        ]


def _in_order(first: VertebraLevel, count: int) -> tuple[VertebraLevel | None, ...]:
    """Return ``count`` levels from ``first`` on; None below the last lumbar one."""
    run: tuple[VertebraLevel, ...]
    if first is VertebraLevel.T13:
        run = (first, *_REGULAR[_REGULAR.index(VertebraLevel.L1) :])
    elif first is VertebraLevel.L6:
        run = (first,)
    else:
        run = _REGULAR[_REGULAR.index(first) :]
    return (*run[:count], *[None] * (count - len(run)))
