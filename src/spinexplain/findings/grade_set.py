"""Which grades a vertebra may have: a conformal set, and whether the scan is like the known ones.

One score of severity is added up from the witnesses. Each grade has the range of it that the
grade's own vertebrae had on held-out phantoms, so that the set of a vertebra, the grades in
whose range it lies, holds the true one as often as stated, grade by grade (Mondrian conformal
prediction; Vovk et al., Algorithmic Learning in a Random World, 2005). That promise is for
scans like those; where a scan is not, the set takes in the grade on either side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.findings.witness import Witness, spoken_values


@dataclass(frozen=True)
class SeverityScale:
    """The score of severity for one set of witnesses, and each grade's range of it.

    Parameters
    ----------
    weights : mapping of str to float
        By what the witnesses say, see
        :func:`~spinexplain.findings.witness.spoken_values`; not below 0.
    ranges : mapping of str to tuple of 2 floats
        Grade -> lowest and highest score; infinite where nothing bounds it.
    """

    weights: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]

    def score(self, values: Mapping[str, float]) -> float:
        """Add up the score from what the witnesses say."""
        return sum(weight * values[name] for name, weight in self.weights.items())

    def grades(self, score: float) -> tuple[str, ...]:
        """Return the grades in whose range a score lies; between two ranges, both neighbors.

        Examples
        --------
        >>> scale = SeverityScale({}, {"G0": (-9.0, 1.0), "G1": (0.0, 2.0), "G2": (3.0, 9.0)})
        >>> scale.grades(0.5), scale.grades(2.5)
        (('G0', 'G1'), ('G1', 'G2'))
        """
        inside = [name for name, (low, high) in self.ranges.items() if low <= score <= high]
        if inside:
            return tuple(inside)
        below = [name for name, (_, high) in self.ranges.items() if high < score]
        above = [name for name, (low, _) in self.ranges.items() if low > score]
        return (*below[-1:], *above[:1])


@dataclass(frozen=True)
class Departure:
    """A term of the image beyond the range of the scans that the verdict was fitted to."""

    term: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GradeSet:
    """The grades that a vertebra may have.

    Parameters
    ----------
    grades : tuple of str
        In order of severity; all four say nothing.
    coverage : float
        How often such a set holds the true grade, on scans like the known ones.
    departures : tuple of Departure
        Why the scan is not like them, strongest first; the set was then widened.
    """

    grades: tuple[str, ...]
    coverage: float
    departures: tuple[Departure, ...] = ()

    @property
    def says_nothing(self) -> bool:
        """Whether every grade is in it."""
        return set(self.grades) == set(GENANT_GRADES)


def departures(
    terms: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]
) -> tuple[Departure, ...]:
    """Name the terms that lie beyond their range, those furthest beyond first.

    Parameters
    ----------
    terms : mapping of str to float
        Of :func:`spinexplain.spine.image_terms.image_terms`.
    ranges : mapping of str to tuple of 2 floats

    Examples
    --------
    >>> departures({"noise_hu": 90.0}, {"noise_hu": (5.0, 60.0)})[0].term
    'noise_hu'
    """
    beyond = []
    for name, (low, high) in ranges.items():
        value = terms.get(name)
        if value is not None and not low <= value <= high:
            excess = max(low - value, value - high) / max(high - low, 1e-6)
            beyond.append((excess, Departure(name, value, low, high)))
    return tuple(one for _, one in sorted(beyond, key=lambda pair: -pair[0]))


def widened(grades: Sequence[str]) -> tuple[str, ...]:
    """Take in the grade on either side.

    Examples
    --------
    >>> widened(("G0",)), widened(("G2", "G3"))
    (('G0', 'G1'), ('G1', 'G2', 'G3'))
    """
    at = [GENANT_GRADES.index(name) for name in grades]
    return tuple(GENANT_GRADES[max(min(at) - 1, 0) : max(at) + 2])


def grade_set(
    witnesses: Sequence[Witness],
    scale: SeverityScale,
    coverage: float,
    beyond: tuple[Departure, ...] = (),
) -> GradeSet | None:
    """Return the grades that a vertebra may have.

    Parameters
    ----------
    witnesses : sequence of Witness
    scale : SeverityScale
        Of these very witnesses.
    coverage : float
    beyond : tuple of Departure

    Returns
    -------
    GradeSet or None
        None where a network has no class of its own for severe fractures.
    """
    values = spoken_values(witnesses)
    if not set(scale.weights) <= set(values):
        return None
    grades = scale.grades(scale.score(values))
    return GradeSet(widened(grades) if beyond else grades, coverage, beyond)
