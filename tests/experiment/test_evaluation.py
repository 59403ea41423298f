import numpy as np
import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.errors import ConfigError, ModelError
from spinexplain.evaluate.predictions import data_hash
from spinexplain.experiment.evaluation import evaluate_model, model_source
from spinexplain.experiment.folds import run_fold
from spinexplain.models.bundle.store import load_grader


@pytest.fixture
def run(toy_folded, tiny_preset, tmp_path):
    return run_fold(parse_entry(str(tiny_preset)), toy_folded, 0, tmp_path / "runs")


def test_a_run_and_its_bundle_are_the_same_model(run, toy_cohort):
    cohort = toy_cohort(name="new", split=0.5, seed=5)
    one, two = (evaluate_model(source, cohort, "test") for source in (run, run / "bundle"))
    assert one.figures == two.figures
    assert one.table.equals(two.table)
    assert len(one.table) == 24
    assert one.figures["bundle_sha256"] == load_grader(run / "bundle").info.sha256
    assert one.crops_hu.shape == (24, 144, 144)


def test_the_scores_are_those_the_training_measured(run, toy_cohort):
    """Held-out predictions of the fold, found again through the saved bundle."""
    from spinexplain.evaluate.predictions import read_predictions

    kept = read_predictions(run / "predictions.parquet").set_index(["subject", "level"])
    cohort = toy_cohort(name="again")
    table = evaluate_model(run, cohort, "all").table.set_index(["subject", "level"])
    np.testing.assert_allclose(table.loc[kept.index, "p_G2"], kept["p_G2"], atol=1e-5)


def test_all_takes_what_has_no_split(run, toy_cohort):
    cohort = toy_cohort(name="new")
    found = evaluate_model(run, cohort, "all")
    assert len(found.table) == 48
    assert found.figures["data_sha256"] == data_hash(cohort.index)
    with pytest.raises(ConfigError, match="no splits"):
        evaluate_model(run, cohort, "test")


def test_grades_the_model_does_not_know_are_counted(run, toy_cohort):
    found = evaluate_model(run, toy_cohort(name="new", grades=(0, 1, 2, 3)), "all")
    assert found.figures["without_class"] == 12
    assert found.figures["vertebrae"] == 36


def test_flagged_vertebrae_are_not_graded(run, toy_cohort, monkeypatch):
    cohort = toy_cohort(name="new")
    cohort.index.at[0, "flags"] = ["metal"]
    cohort.index.loc[1, "outside_2d"] = 0.9
    found = evaluate_model(run, cohort, "all")
    assert found.figures["not_assessable"] == 2
    assert found.table["reason"][0] == "there is metal in the body"
    assert "outside the scan" in found.table["reason"][1]


def test_no_such_model(toy_cohort):
    with pytest.raises(ModelError, match="neither shipped"):
        evaluate_model("protovers", toy_cohort(name="new"), "all")


def test_a_shipped_name_stays_a_name(tmp_path):
    assert model_source("protoverse-phantom") == "protoverse-phantom"
    assert model_source(tmp_path) == tmp_path
