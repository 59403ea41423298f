"""Sets of grades by hand."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.findings.grade_set import (
    SeverityScale,
    departures,
    grade_set,
    widened,
)
from spinexplain.findings.witness import Witness, spoken_values

SCALE = SeverityScale(
    {"prototypes": 1.0, "prototypes_severe": 0.5, "heights": 2.0},
    {"G0": (-inf, 1.0), "G1": (0.0, 3.0), "G2": (2.0, 6.0), "G3": (5.0, inf)},
)
WITNESSES = (Witness("prototypes", 1.0, severe=-2.0), Witness("heights", 0.75))


def test_the_score_adds_up_and_names_the_grades_in_whose_range_it_lies():
    assert SCALE.score(spoken_values(WITNESSES)) == pytest.approx(1.0 - 1.0 + 1.5)
    found = grade_set(WITNESSES, SCALE, 0.9)
    assert (found.grades, found.coverage, found.departures) == (("G1",), 0.9, ())


def test_a_scan_unlike_the_others_takes_in_a_grade_either_side():
    beyond = departures({"noise_hu": 99.0, "slice_mm": 1.0}, {"noise_hu": (5.0, 60.0)})
    found = grade_set(WITNESSES, SCALE, 0.9, beyond)
    assert found.grades == ("G0", "G1", "G2")
    assert [one.term for one in found.departures] == ["noise_hu"]
    assert not found.says_nothing


def test_the_furthest_departure_stands_first():
    ranges = {"slice_mm": (0.5, 1.5), "noise_hu": (0.0, 50.0)}
    found = departures({"slice_mm": 3.5, "noise_hu": 51.0}, ranges)
    assert [one.term for one in found] == ["slice_mm", "noise_hu"]
    assert departures({"slice_mm": 1.0, "noise_hu": float(50)}, ranges) == ()


def test_a_network_without_a_severe_class_has_no_set():
    assert grade_set([Witness("prototypes", 1.0), WITNESSES[1]], SCALE, 0.9) is None


@given(st.floats(-50, 50), st.floats(0, 20))
def test_a_higher_score_never_names_milder_grades(score, more):
    low, high = SCALE.grades(score), SCALE.grades(score + more)
    assert low
    assert high
    assert min(high) >= min(low)
    assert max(high) >= max(low)


@given(st.floats(-50, 50))
def test_widening_keeps_what_was_there(score):
    assert set(SCALE.grades(score)) < set(widened(SCALE.grades(score)))
