import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spinexplain.app.reading import KINDS, Done, Word, shifted, spoken, sum_up
from spinexplain.texts.catalogue import load_catalogue


def acts(*kinds_and_bodies):
    return [
        Done(i, kind, level, body, f"t{i}")
        for i, (kind, level, body) in enumerate(kinds_and_bodies, 1)
    ]


def test_a_later_word_takes_the_place_of_an_earlier_one():
    reading = sum_up(
        acts(
            ("word", "L1", {"verdict": "agree"}),
            ("word", "L1", {"verdict": "grade", "grade": "G1", "shape": "wedge"}),
        )
    )
    assert reading.words["L1"].grade == "G1"
    assert reading.last == 2
    assert reading.state == "begun"


def test_undo_brings_the_earlier_word_back():
    reading = sum_up(
        acts(
            ("word", "L1", {"verdict": "agree"}),
            ("word", "L1", {"verdict": "grade", "grade": "G3"}),
            ("undo", None, {}),
        )
    )
    assert reading.words["L1"].verdict == "agree"
    assert reading.last == 3


def test_undo_with_nothing_to_undo_changes_nothing():
    assert sum_up(acts(("viewed", None, {}), ("undo", None, {}))).state == "seen"


def test_others_spares_levels_that_have_a_word():
    severe = {"verdict": "grade", "grade": "G3", "shape": "crush"}
    reading = sum_up(acts(("word", "L1", severe), ("others", None, {"levels": ["L1", "L2"]})))
    assert reading.words["L1"].grade == "G3"
    assert reading.words["L2"].grade == "G0"


def test_a_signature_and_addenda_stay():
    reading = sum_up(
        acts(
            ("finalise", None, {"name": "A"}),
            ("addendum", None, {"name": "B", "text": "more"}),
        )
    )
    assert reading.signed == ("A", "t1")
    assert reading.addenda == (("B", "t2", "more"),)
    assert reading.state == "final"
    assert not reading.undoable


@given(st.sampled_from(["T1", "T5", "T12", "L1", "L4"]), st.sampled_from([-1, 1]))
def test_a_shift_there_and_back_is_none(level, by):
    if level != "T1" or by == 1:
        assert shifted(shifted(level, by), -by) == level


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "grade"},
        {"verdict": "deformity"},
        {"verdict": "not assessable", "reason": " "},
        {"verdict": "agree", "signs": ["fracture"]},
        {"verdict": "agree", "patient": "X"},
    ],
)
def test_an_incomplete_word_is_refused(body):
    with pytest.raises(ValidationError):
        KINDS["word"].model_validate(body)


def test_a_word_is_spoken_with_its_signs():
    word = Word(verdict="deformity", deformity="Schmorl", signs=("endplate breach",))
    assert spoken(word, load_catalogue()) == "deformity, not fracture: Schmorl, endplate breach"
