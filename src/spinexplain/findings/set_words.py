"""A set of grades in one plain line."""

from __future__ import annotations

from spinexplain.findings.grade_set import Departure, GradeSet
from spinexplain.texts.catalogue import Catalogue

_DIGITS = {"slice_mm": 1, "sharpness": 2, "outside": 2}


def set_words(found: GradeSet, say: Catalogue) -> str:
    """Say which grades a vertebra may have, and what about the image makes that doubtful."""
    percent = f"{100 * found.coverage:.0f}"
    if found.says_nothing:
        line = say("grade_set.nothing", percent=percent)
    else:
        line = say("grade_set.line", percent=percent, grades=" or ".join(found.grades))
    if not found.departures:
        return line
    beyond = "; ".join(_departure(one, say) for one in found.departures)
    return f"{line} {say('grade_set.out_of_range', terms=beyond)}"


def _departure(one: Departure, say: Catalogue) -> str:
    value, low, high = (_number(one.term, x) for x in (one.value, one.low, one.high))
    return say(f"image_term.{one.term}", value=value, low=low, high=high)


def _number(term: str, value: float) -> str:
    return f"{value:.{_DIGITS.get(term, 0)}f}".replace("-", "\N{MINUS SIGN}")
