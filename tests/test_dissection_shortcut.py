"""What the shortcut experiments count, and what their page says of it."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "dissection"]:
        del sys.modules[name]


def units_of_four(enabled):
    """Two fractured and two healthy vertebrae; 1 % of the crops is mark.

    Unit 0 has 10 % of its mask there, unit 1 has 5 %, unit 2 nothing, unit 3 all but is silent.
    """
    from dissection.evidence import Units

    inside, mask = np.array([10.0, 5.0, 0.0, 1.0]), np.array([100.0, 100.0, 100.0, 1.0])
    once = np.array([[1.0], [1.0], [0.0], [0.0]])
    return Units(
        enabled=enabled,
        ranked=np.array([True, True, True, False]),
        positive=np.array([True, True, False, False]),
        subjects=np.arange(4),
        inside=once * inside,
        mask=once * mask,
        evidence=once[:, 0] * 10,
        crop=once[:, 0] * 1000,
    )


def test_units_on_the_mark_and_silenced_are_counted_by_hand():
    from dissection.shortcut import exposure

    before = np.array([[2, 0, 2, 9], [2, 2, 2, 9], [0, 0, 2, 9], [0, 0, 2, 9]], float)
    after = np.array([[0, 0, 2, 9], [0, 2, 2, 9], [0, 0, 2, 9], [0, 0, 2, 9]], float)
    found = exposure(
        units_of_four(before > 1),
        {"marked": before, "plain": after},
        np.ones(4),
        marked=np.array([True, True, False, False]),
    )
    assert found["on_mark"] == 1
    assert found["lift"] == pytest.approx(5.0)
    assert found["silenced"] == 1
    # By contrast: unit 0 (1), unit 1 (0.5), unit 2 (0); the silent one is left out.
    assert found["by_rank"] == [[1.0, 0.5, 1.0], [0.0, 0.5, 1.0]]
    assert found["enabled"] == pytest.approx([2.5 / 3, 1.5 / 3])
    assert found["units"] == 4


def test_marks_in_view_are_counted_by_hand():
    from dissection.detector_shortcut import marked_counts

    marks = np.zeros((4, 2, 2, 2), bool)
    marks[0, 0] = True
    marks[2, 0, 0] = True
    found = marked_counts(marks, np.array([True, True, False, False]))
    assert found == {
        "marked_positives": 1,
        "marked_negatives": 1,
        "mark_mm3": 3.0,
        "chance": 0.25,
    }


def test_the_detector_is_the_preset_in_a_box_that_holds_the_mark():
    from dissection.detector_shortcut import design

    from spinexplain.config.training import read_config

    config, preset = design(), read_config("detector")
    assert config.input.extent_mm / 2 > 34 + 4.5
    assert config.input.size == preset.input.size
    assert config.trunk == preset.trunk
    assert config.grades == preset.grades


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
    from dissection.shortcut_page import exposed

    marked = {"auc": {"marked": with_marks, "plain": 0.6}, "on_mark": on_mark, "silenced": silenced}
    plain = {"auc": {"marked": 0.6, "plain": 0.6}, "on_mark": 0, "silenced": 0}
    assert said in exposed(marked, plain, "boxes")
