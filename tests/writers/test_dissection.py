import json
from pathlib import Path

import pytest
from writers.dissection import page
from writers.dissection.shortcut import exposed
from writers.dissection.tables import table

FOUND = json.loads((Path(__file__).parents[2] / "docs/results/dissection.json").read_text())


def test_experiments_that_were_not_run_are_left_out():
    assert "planted shortcut" not in page.page_of({"sizes": FOUND["sizes"]})
    assert "planted shortcut" in page.page_of({"shortcut": FOUND["shortcut"]})


def test_rows_stand_under_their_head():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("with_marks", "on_mark", "silenced", "said"),
    [
        (0.9, 5, 8, "its first units do: 5 of ten lie on it, 8 of ten fall silent"),
        (0.9, 0, 8, "Their place alone does not show it"),
        (0.9, 5, 0, "Not shown"),
        (0.65, 5, 8, "hardly uses them"),
    ],
)
def test_the_page_says_what_was_found(with_marks, on_mark, silenced, said):
    marked = {"auc": {"marked": with_marks, "plain": 0.6}, "on_mark": on_mark, "silenced": silenced}
    plain = {"auc": {"marked": 0.6, "plain": 0.6}, "on_mark": 0, "silenced": 0}
    assert said in exposed(marked, plain, "boxes")
