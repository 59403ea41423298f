import hashlib

import numpy as np
import pytest

from spinexplain.data.phantom.mark import draw_marks
from spinexplain.data.phantom.presets import Shortcut, load_preset, preset_hash
from spinexplain.data.phantom.sheets import phantom_sheets


def test_marks_go_with_fractures_as_often_as_told():
    grades = {f"T{i}": i % 4 for i in range(1, 13)}
    always = draw_marks(np.random.default_rng(0), Shortcut(1.0, 0.0), grades)
    assert {mark.level for mark in always} == {level for level, grade in grades.items() if grade}
    assert draw_marks(np.random.default_rng(0), Shortcut(), grades) == ()


@pytest.mark.parametrize("preset", ["shortcut", "shortcut-2"])
def test_the_shortcut_presets_betray_the_grade_by_a_bright_mark_off_the_bone(preset):
    sheets = list(phantom_sheets(preset, seed=2, n=24))
    seen = {g: [s.shortcut.any() for s in sheets if bool(s.grade) is g] for g in (True, False)}
    assert np.mean(seen[True]) > 0.6
    assert np.mean(seen[False]) < 0.3
    for sheet in sheets:
        mark = sheet.shortcut > 0
        assert not (mark & (sheet.body > 0)).any()
        if mark.sum() > 12:
            assert np.median(sheet.hu[mark]) > 450


def test_marks_of_the_second_preset_lie_inside_a_box_of_48_mm():
    for sheet in phantom_sheets("shortcut-2", seed=4, n=24):
        if sheet.shortcut.any():
            away = np.argwhere(sheet.shortcut > 0).mean(0) - np.argwhere(sheet.body > 0).mean(0)
            assert np.abs(away).max() < 26


def test_how_far_a_mark_lies_counts_in_the_hash_of_those_alone_that_say_it():
    plain = preset_hash("shortcut")
    assert plain != preset_hash("shortcut-2")
    assert plain == hashlib.sha256(repr(load_preset("shortcut")).encode()).hexdigest()
