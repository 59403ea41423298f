from pathlib import Path

import pytest

from spinexplain.cli.main import run
from spinexplain.study.record import read_study


def test_a_study_from_the_command_line(finished_run, other_cohort, tmp_path, capsys):
    study = tmp_path / "study"
    command = ["study", "create", str(finished_run[0]), str(other_cohort), "-o", str(study)]
    run([*command, "--split", "all", "--most", "2", "--healthy", "1", "--wrong", "0"])
    assert "pages a reader, 2 readers" in capsys.readouterr().out
    run(["study", "rehearse", str(study), "-o", str(tmp_path / "r"), "--kinds", "careful,yes"])
    run(["study", "score", str(tmp_path / "r")])
    out = capsys.readouterr().out
    assert "uninformative" in out
    written = next(line for line in out.splitlines() if line.endswith("score.html"))
    assert Path(written).is_file()
    exported = next((tmp_path / "r" / "answers").glob("reader-1*"))
    run(["study", "add", str(study), str(exported)])
    pages = len(read_study(study).items)
    assert f"reader 1: {pages} of {pages} pages finished" in capsys.readouterr().out


def test_what_is_wrong_gets_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        run(["study", "score", str(tmp_path)])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
