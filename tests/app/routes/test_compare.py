import pytest

from app.conftest import act, add_ready
from spinexplain.app.edited_heights import ShownHeights
from spinexplain.app.finding import Line
from spinexplain.app.reading import Word
from spinexplain.app.routes.compare import change, paired


def line(level, grade, word=None):
    return Line(level, level, "", grade, grade, word, "", None)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [("G0", "G2", "new"), ("G2", "G3", "progressed"), ("G2", "G2", "unchanged"),
     ("G3", "G2", "graded lower"), (None, "G2", "not comparable")],
)  # fmt: skip
def test_change_goes_by_the_grades(before, now, expected):
    assert change(line("L1", now), line("L1", before)) == expected


def test_the_readers_word_wins_over_the_models():
    word = Word(verdict="grade", grade="G0")
    assert change(line("L1", "G3", word), line("L1", "G0")) == "unchanged"


def lost(low, high, grade=None, by="measurement"):
    middle = (low + high) / 2
    heights = ShownHeights((), (), (), middle, (low, high), 1, "wedge", by)
    return Line("L1", "L1", "borderline", grade, grade, None, "", heights)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [(lost(0.18, 0.24), lost(0.20, 0.28), "unchanged"),
     (lost(0.18, 0.24), lost(0.30, 0.40), "more height loss"),
     (lost(0.30, 0.40), lost(0.18, 0.24), "less height loss"),
     (lost(0.18, 0.24, "G0"), lost(0.30, 0.40), "more height loss")],
)  # fmt: skip
def test_without_two_grades_the_losses_are_compared(before, now, expected):
    assert change(now, before) == expected


def test_a_first_guess_is_no_measurement():
    guessed = lost(0.0, 0.0, by="nobody")
    assert change(lost(0.3, 0.4, "G2"), guessed) == "not comparable"
    assert change(guessed, guessed) == "unchanged"


def test_what_could_not_be_assessed_has_not_stayed_the_same():
    blind = Line("L1", "L1", "not assessable: metal", None, None, None, "", None)
    assert change(blind, blind) == "not comparable"


def test_levels_are_aligned_from_top_to_bottom():
    pairs = paired([line("T12", "G0"), line("L1", "G0")], [line("L1", "G0"), line("L2", "G0")])
    assert [pair.level for pair in pairs] == ["T12", "L1", "L2"]
    assert [pair.change for pair in pairs] == ["not on both", "unchanged", "not on both"]


def test_two_scans_stand_side_by_side(server, ready, drawn):
    prior = add_ready(server, drawn, "prior scan")
    client = server.client()
    act(client, prior, "word", "L1", {"verdict": "grade", "grade": "G0"})
    page = client.get(f"/scans/{ready}/beside/{prior}").text
    assert "<b>new</b>" in page
    assert page.count("planes/sagittal.png") == 12
    assert client.get(f"/scans/{ready}/beside/{ready}").status_code == 409
