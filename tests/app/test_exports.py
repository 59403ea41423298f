import numpy as np
import pytest

from spinexplain.app.exports import as_csv, final_grade, moved
from spinexplain.app.finding import Line
from spinexplain.app.reading import Reading, Word


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, None),
        (Word(verdict="agree"), "G2"),
        (Word(verdict="grade", grade="G1"), "G1"),
        (Word(verdict="deformity", deformity="Schmorl"), "G0"),
        (Word(verdict="not assessable", reason="metal"), None),
    ],
)
def test_a_word_comes_to_a_grade(word, expected):
    assert (
        final_grade(Line("L1", "L1", "fracture suspected, moderate", "G3", "G2", word, "", None))
        == expected
    )


def test_agreeing_with_a_verdict_without_severity_is_no_grade():
    line = Line("L1", "L1", "borderline", "G2", None, Word(verdict="agree"), "", None)
    assert final_grade(line) is None


def test_labels_of_a_mask_move_with_the_names():
    labels = np.array([0, 19, 20, 24, 26])
    assert moved(labels, 1).tolist() == [0, 20, 21, 25, 26]
    assert moved(labels, -1).tolist() == [0, 18, 19, 23, 26]


def test_levels_without_a_word_have_empty_cells(view):
    rows = as_csv(view, Reading(), "made").splitlines()
    assert len(rows) == 7
    assert rows[1].startswith("made,T12,T12,G0,no suspicion,,")
