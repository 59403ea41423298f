from dataclasses import replace

import numpy as np
import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.config.training import read_config
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.errors import ConfigError, ModelError
from spinexplain.evaluate.predictions import data_hash
from spinexplain.experiment.evaluation import evaluate_model, model_source
from spinexplain.experiment.folds import run_fold
from spinexplain.findings.assess import grade
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.train.grading.package import Statement, bundle_of, scope_of
from spinexplain.train.grading.recipes import train_model


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


def test_flagged_vertebrae_are_not_graded(run, toy_cohort):
    cohort = toy_cohort(name="new")
    cohort.index.at[0, "flags"] = ["metal"]
    found = evaluate_model(run, cohort, "all")
    assert found.figures["not_assessable"] == 1
    assert found.table["reason"][0] == "there is metal in the body"


@pytest.fixture
def user_trained(toy_cohort, tiny_preset, tmp_path):
    """Return a maker of bundles that a user trained on thoracic levels: ``(max_outside)``."""

    def make(**settings):
        preset = tiny_preset.read_text().replace("extent_mm = 32\nsize = 32", "size = 28")
        tiny_preset.write_text(preset)
        config = read_config(tiny_preset).model_copy(update=settings)
        data = set_from_cohort(toy_cohort())
        data = replace(data, levels=np.resize([f"T{n}" for n in range(3, 13)], len(data)))
        trained = train_model(config, data, tmp_path / "run")
        statement = Statement("user", "1", "toys", scope_of(trained))
        save_bundle(bundle_of(trained, statement), tmp_path / "bundle")
        return tmp_path / "bundle"

    return make


def graded_by_both(model, thoracic_cohort):
    """Return reasons and scores of one model by level, from the cohort and from the CT."""
    cohort, volume, vertebrae = thoracic_cohort
    table = evaluate_model(model, cohort, "test").table.set_index("level")
    scan = grade(volume, centroids=vertebrae, models=[str(model)])
    names = [name for name in table.columns if name.startswith("p_")]
    evaluated = {
        level: (row["reason"] or "", row[names].to_numpy(float)) for level, row in table.iterrows()
    }
    graded = {}
    for found in scan.vertebrae:
        (assessment,) = found.assessments
        reason = assessment.refusal or ""
        scores = assessment.grading.probabilities if assessment.grading else [np.nan] * len(names)
        graded[found.patch.vertebra.level.value] = reason, np.array(scores)
    return evaluated, graded


@pytest.mark.parametrize("shipped", [True, False])
def test_the_bundled_thoracic_ct_is_graded_whole_by_both_routes(
    user_trained, thoracic_cohort, shipped
):
    model = "protoverse-phantom" if shipped else user_trained()
    evaluated, graded = graded_by_both(model, thoracic_cohort)
    assert len(graded) == len(evaluated) == 10
    for level, (reason, scores) in graded.items():
        assert (reason, evaluated[level][0]) == ("", "")
        np.testing.assert_allclose(evaluated[level][1], scores, atol=0.05)  # HU are stored rounded


def test_both_routes_refuse_the_same_vertebrae_in_the_same_words(user_trained, thoracic_cohort):
    """Stored crops have a margin, of which more lies outside; it must not count."""
    evaluated, graded = graded_by_both(user_trained(max_outside=0.165), thoracic_cohort)
    assert {level: reason for level, (reason, _) in evaluated.items()} == {
        level: reason for level, (reason, _) in graded.items()
    }
    refused = [level for level, (reason, _) in graded.items() if "outside the scan" in reason]
    assert {"T3", "T4", "T12"} < set(refused) < set(graded)


def test_no_such_model(toy_cohort):
    with pytest.raises(ModelError, match="neither shipped"):
        evaluate_model("protovers", toy_cohort(name="new"), "all")


def test_a_shipped_name_stays_a_name(tmp_path):
    assert model_source("protoverse-phantom") == "protoverse-phantom"
    assert model_source(tmp_path) == tmp_path
