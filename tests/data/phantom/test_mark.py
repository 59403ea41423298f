import numpy as np

from spinexplain.data.phantom.mark import draw_marks
from spinexplain.data.phantom.presets import Shortcut
from spinexplain.data.phantom.sheets import phantom_sheets


def test_marks_go_with_fractures_as_often_as_told():
    grades = {f"T{i}": i % 4 for i in range(1, 13)}
    always = draw_marks(np.random.default_rng(0), Shortcut(1.0, 0.0), grades)
    assert {mark.level for mark in always} == {level for level, grade in grades.items() if grade}
    assert draw_marks(np.random.default_rng(0), Shortcut(), grades) == ()


def test_the_shortcut_preset_betrays_the_grade_by_a_bright_mark_off_the_bone():
    sheets = list(phantom_sheets("shortcut", seed=2, n=24))
    seen = {g: [s.shortcut.any() for s in sheets if bool(s.grade) is g] for g in (True, False)}
    assert np.mean(seen[True]) > 0.6
    assert np.mean(seen[False]) < 0.3
    for sheet in sheets:
        mark = sheet.shortcut > 0
        assert not (mark & (sheet.body > 0)).any()
        if mark.sum() > 12:
            assert np.median(sheet.hu[mark]) > 450
