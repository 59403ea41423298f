import json


def test_a_phantom_folder_becomes_a_cohort(spinexplain, spines, tmp_path):
    cohort = tmp_path / "cohort"
    arguments = ["prepare", spines, "--table", spines / "fractures.csv", "-o", cohort]
    refused = spinexplain(*arguments, "--folds", 9)
    assert refused.code == 2
    assert "expected 2 to 4, the number of subjects" in refused.line
    assert not cohort.exists()
    ended = spinexplain(*arguments, "--folds", 2)
    assert ended.code == 0, ended.err
    assert "no folds were made" not in ended.err
    grades = json.loads((cohort / "summary.json").read_text())["by_level"]
    assert grades["T12"]["G3"] == grades["T9"]["G2"] == 4


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


def test_folds_are_a_number_or_a_file(spinexplain, tmp_path):
    ended = spinexplain("prepare", tmp_path, "-o", tmp_path / "cohort", "--folds", "five")
    assert ended.code == 2
    assert "five" in ended.line
