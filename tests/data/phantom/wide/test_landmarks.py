import numpy as np
import pytest

from spinexplain.data.phantom.wide.landmarks import NUMBERS


def test_numbers_follow_the_spine():
    assert NUMBERS["C7"] == -1
    assert NUMBERS["L1"] - NUMBERS["T12"] == 1
    assert NUMBERS["S1"] == NUMBERS["L5"] + 1


def test_heights_fall_from_the_skull_to_the_hips(people):
    for person in people:
        assert (np.diff(person.marks.z) < 0).all()
        assert np.isfinite(person.marks.point(-15, 0, 0)).all()
        assert person.marks.height(25) < person.marks.height(17)


def test_a_level_lies_at_the_height_of_its_body(people):
    person = people[0]
    place = person.places[person.subject.names.index("L3")]
    assert person.marks.height(NUMBERS["L3"]) == pytest.approx(place.center[2], abs=0.1)


def test_sides_grow_with_the_person(people):
    marks = people[0].marks
    step = marks.point(5, 10, 0) - marks.point(5, 0, 0)
    assert step[0] == pytest.approx(10 * marks.size)
