from spinexplain.study.figure8 import closed_lines, draw_figure8
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.tally import tally


def test_one_picture_a_grade(made, made_study, tmp_path):
    study, key = made_study
    found = tally(study, key, simulate(study, key, Panel(), 0))
    names = draw_figure8(tmp_path, study, found, made / "pictures")
    grades = {case.grade for case in key.cases.values() if case.role == "asked"}
    assert names == sorted(f"figure8-{grade}.png" for grade in grades)


def test_nobody_answered(made, made_study, tmp_path):
    study, key = made_study
    assert draw_figure8(tmp_path, study, tally(study, key, []), made / "pictures") == []


def test_paths_are_read_back():
    assert closed_lines("") == []
    assert len(closed_lines("M0 0L1 0L1 1ZM2 2L3 2L3 3Z")) == 2
