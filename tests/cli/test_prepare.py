import json

import pytest


@pytest.mark.slow
def test_a_phantom_folder_becomes_a_cohort(spinexplain, tmp_path):
    source, cohort = tmp_path / "spines", tmp_path / "cohort"
    spinexplain("phantom", source, "--subjects", 1, "--seed", 7, "--preset", "demo")
    arguments = ["prepare", source, "--table", source / "fractures.csv", "-o", cohort]
    ended = spinexplain(*arguments, "--folds", 1)
    assert ended.code in (0, 2), ended.err
    if ended.code == 2:
        assert "fold" in ended.line
    ended = spinexplain(*arguments, "--folds", 2, "--force")
    summary = json.loads((cohort / "summary.json").read_text())
    assert summary


def test_no_such_source(spinexplain, tmp_path):
    ended = spinexplain("prepare", tmp_path / "missing", "-o", tmp_path / "cohort")
    assert ended.code == 2
    assert "missing" in ended.line
    assert not (tmp_path / "cohort").exists()


def test_a_table_that_is_none(spinexplain, tmp_path):
    (tmp_path / "source").mkdir()
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    ended = spinexplain("prepare", tmp_path / "source", "--table", table, "-o", tmp_path / "cohort")
    assert ended.code == 2
