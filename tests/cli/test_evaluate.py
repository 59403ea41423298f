import json

import pandas as pd


def test_a_shipped_model_on_drawn_sheets(spinexplain, toy_cohort, tmp_path):
    cohort, out = toy_cohort(n=24).path, tmp_path / "out"
    ended = spinexplain("evaluate", "protoverse-phantom", cohort, "--split", "all", "-o", out)
    assert ended.code == 0, ended.err
    assert "class average f1" in ended.out
    names = {path.name for path in out.iterdir()} - {".spinexplain"}
    assert names == {
        "predictions.parquet",
        "figures.json",
        "evaluation.html",
        "confusion.png",
        "reliability.png",
    }
    figures = json.loads((out / "figures.json").read_text())
    assert figures["schema"] == "spinexplain/evaluation/1"
    assert len(pd.read_parquet(out / "predictions.parquet")) == 24


def test_a_split_that_is_not_there(spinexplain, toy_cohort, tmp_path):
    ended = spinexplain(
        "evaluate", "protoverse-phantom", toy_cohort(n=6).path, "-o", tmp_path / "o"
    )
    assert ended.code == 2
    assert "--split all" in ended.line
    assert not (tmp_path / "o").exists()


def test_no_such_model(spinexplain, toy_cohort, tmp_path):
    ended = spinexplain(
        "evaluate", tmp_path / "none", toy_cohort(n=6).path, "--split", "all", "-o", tmp_path / "o"
    )
    assert ended.code == 2
    assert "neither shipped" in ended.line
