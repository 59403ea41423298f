import json

import numpy as np
import pandas as pd
import pytest

from spinexplain.config.training import TrainConfig
from spinexplain.experiment.trials_result import (
    collect,
    height_threshold,
    markdown,
    write_result,
)


def config(*fractured):
    grades = {"no fracture": ["G0"], "fracture": list(fractured)}
    return TrainConfig(classes=tuple(grades), grades=grades)


def stored(folder, key, scores, labels=(0, 0, 1, 1)):
    folder.mkdir(exist_ok=True)
    table = pd.DataFrame({"label": labels, "score": np.array(scores, float)})
    table.to_parquet(folder / f"{key}.parquet")


@pytest.mark.parametrize(
    ("fractured", "loss"), [(["G1", "G2"], 0.2), (["G2"], 0.25), (["G3"], 0.4)]
)
def test_heights_call_a_fracture_where_its_lowest_grade_begins(fractured, loss):
    assert height_threshold(config(*fractured)) == loss


def test_mean_and_deviation_over_seeds(tmp_path):
    """AUC 1 and 0.5: mean 75 %, standard deviation of two 35.4 %."""
    stored(tmp_path / "p", "a--seed0--t", [0.1, 0.2, 0.8, 0.9])
    stored(tmp_path / "p", "a--seed1--t", [0.1, 0.9, 0.2, 0.8])
    stored(tmp_path / "p", "heights--t", [0.1, np.nan, 0.2, 0.3])
    result = collect(tmp_path / "p", config("G2"), ["a"], ["t"])
    model, heights = result.crossings
    assert model.mean("auc") == pytest.approx(0.75)
    assert model.deviation("auc") == pytest.approx(np.sqrt(0.125))
    assert (heights.vertebrae, heights.fractures) == (3, 2)
    assert heights.runs[0]["accuracy"] == pytest.approx(2 / 3)
    lines = markdown(result).splitlines()
    assert "| a | t | 4 (2) | 2 |" in lines[2]
    assert "75.0 ± 35.4" in lines[2]
    assert "±" not in lines[3]


def test_json_has_no_numbers_that_json_does_not_know(tmp_path):
    stored(tmp_path / "p", "a--seed0--t", [0.1, 0.2], labels=(0, 0))
    result = collect(tmp_path / "p", config("G2"), ["a"], ["t"])
    write_result(result, tmp_path)
    content = json.loads((tmp_path / "result.json").read_text())
    assert content["schema"] == "spinexplain/trials/1"
    assert content["crossings"][0]["mean"]["auc"] is None
    assert "–" in (tmp_path / "table.md").read_text()
