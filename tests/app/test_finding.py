import pytest

from spinexplain.app.finding import composed, lines_of, report_with
from spinexplain.app.reading import Reading, Word
from spinexplain.errors import OutputError


def test_a_models_draft_stays_marked_as_one(view):
    text = composed(view, Reading())
    assert text
    assert all(line.startswith("[draft, not confirmed]") for line in text.splitlines())


def test_a_word_takes_the_place_of_the_draft(view):
    reading = Reading(words={"L1": Word(verdict="deformity", deformity="Scheuermann")})
    text = composed(view, reading)
    assert "L1: deformity, not fracture: Scheuermann" in text
    assert "L1" not in "".join(line for line in text.splitlines() if "draft" in line)


def test_a_comment_makes_a_level_remarkable(view):
    word = Word(verdict="grade", grade="G0", comment="hemangioma")
    assert "L2: " in composed(view, Reading(words={"L2": word}))
    assert "hemangioma." in composed(view, Reading(words={"L2": word}))


def test_lines_keep_the_models_word_beside(view):
    reading = Reading(words={"L1": Word(verdict="grade", grade="G0")}, shift=1)
    line = next(one for one in lines_of(view, reading) if one.model_level == "L1")
    assert line.level == "L2"
    assert line.model_grade == "G2"
    assert line.word.grade == "G0"


def test_a_report_of_another_version_is_refused(view):
    with pytest.raises(OutputError, match="another version"):
        report_with("<html></html>", view, Reading(), "x")
