import json
import shutil

import numpy as np
import pytest

from spinexplain.config.entries import parse_entries
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.evaluate.predictions import read_predictions, write_predictions
from spinexplain.experiment.crossval import Plan, cross_validate
from spinexplain.experiment.crossval_results import (
    crossval_results,
    diagonal_is_largest,
    prototype_summary,
    read_plan,
    results_markdown,
)


@pytest.fixture
def finished(toy_cohort, tiny_preset, tmp_path):
    texts = [f"{tiny_preset}:head.kind=linear,as=linear", f"{tiny_preset}:as=tiny"]
    plan = Plan(tuple(parse_entries(texts)), folds=3)
    return cross_validate(toy_cohort(), plan, tmp_path / "out")


def test_results_hold_means_pairs_and_prototypes(finished):
    results = crossval_results(finished)
    assert results == json.loads((finished / "results.json").read_text())
    linear, tiny = results["entries"]
    assert linear["prototypes"] is None
    assert tiny["prototypes"]["duplicates"] == [0, 0, 0]
    accuracy = tiny["folds"]["sample_accuracy"]
    assert tiny["mean"]["sample_accuracy"] == pytest.approx(np.mean(accuracy))
    assert tiny["sd"]["sample_accuracy"] == pytest.approx(np.std(accuracy, ddof=1))
    assert [(p["first"], p["second"]) for p in results["comparisons"]] == [("tiny", "linear")]
    text = results_markdown(results)
    assert "| tiny | 18 |" in text
    assert "3 folds by subject" in text


def test_a_missing_run_is_named(finished):
    shutil.rmtree(finished / "runs" / "tiny" / "fold-1")
    with pytest.raises(ConfigError, match="tiny fold 1"):
        crossval_results(finished)
    so_far = crossval_results(finished, so_far=True)
    assert (so_far["folds"], so_far["folds_planned"]) == (2, 3)
    assert len(so_far["entries"][0]["folds"]["sample_accuracy"]) == 2
    assert "the 2 folds finished so far" in results_markdown(so_far)
    shutil.rmtree(finished / "runs" / "tiny" / "fold-2")
    alone = crossval_results(finished, so_far=True)
    assert alone["entries"][0]["sd"]["sample_accuracy"] is None
    assert "±" not in results_markdown(alone).splitlines()[4]


def test_predictions_of_other_data_are_refused(finished):
    for path in (finished / "runs").rglob("predictions.parquet"):
        write_predictions(read_predictions(path).assign(data_sha256="0" * 64), path)
    with pytest.raises(ConfigError, match="other data"):
        crossval_results(finished)


def test_a_folder_without_an_experiment_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="written by crossval"):
        read_plan(tmp_path)
    (tmp_path / "crossval.json").write_text('{"schema": "other/1"}')
    with pytest.raises(FileFormatError, match="schema"):
        read_plan(tmp_path)


def story(crops, own):
    measures = {
        "cosine": [[1.0]],
        "centered_cosine": [[1.0]],
        "same_class_cosine": 0.5,
        "same_class_centered": 0.1,
        "winner_share": 0.7,
    }
    return {
        "prototype_class": [0, 1],
        "before": measures,
        "after": measures,
        "distance_travelled": [1.0, 3.0],
        "duplicates": 0,
        "contributions": {"true_class": own, "own_class": own, "crops": [[n] for n in crops]},
    }


def test_contributions_are_pooled_by_crops():
    found = prototype_summary(
        [story((1, 1), [[1.0, 0], [0, 1.0]]), story((3, 1), [[2.0, 0], [0, 3.0]])]
    )
    assert found["contributions"]["own_class"] == [[1.75, 0], [0, 2.0]]
    assert found["diagonal_is_largest"] == {"true_class": True, "own_class": True}
    assert found["distance_travelled"] == [2.0, 2.0]
    assert found["longest_distance"] == [3.0, 3.0]


def test_no_prototypes_no_summary():
    assert prototype_summary([{}, {}]) is None


def test_the_largest_of_row_and_column():
    assert diagonal_is_largest(
        np.array([[4.72, -0.33, -0.19], [0.73, 2.72, -0.01], [0.35, -0.06, 2.7]])
    )
    assert not diagonal_is_largest(np.array([[1.0, 0.0], [0.0, 0.0]]))
