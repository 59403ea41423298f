import json

import numpy as np
import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.config.training import AugmentSettings
from spinexplain.data.split import read_folds
from spinexplain.errors import ConfigError, OutputError
from spinexplain.evaluate.predictions import read_predictions
from spinexplain.experiment.crossval import Plan, cross_validate, folded_data


def plan_of(preset, *overrides, folds=2):
    texts = overrides or ("as=tiny",)
    return Plan(tuple(parse_entry(f"{preset}:{text}") for text in texts), folds)


def test_folds_split_subjects_and_keep_the_grades_mix(toy_folded):
    data, fold = toy_folded.data, toy_folded.fold
    for subject in np.unique(data.subjects):
        assert len(set(fold[data.subjects == subject])) == 1
    for grade in (0, 2, 3):
        counts = np.bincount(fold[data.grades == grade])
        assert abs(counts[0] - counts[1]) <= 4


def test_only_the_training_split_is_used(toy_cohort, tiny_preset):
    folded = folded_data(toy_cohort(split=0.5), plan_of(tiny_preset))
    assert len(folded.data) == 24


def test_grades_that_are_no_class_are_left_out(toy_cohort, tiny_preset):
    folded = folded_data(toy_cohort(grades=(0, 2, 3, 1)), plan_of(tiny_preset))
    assert set(folded.data.grades.tolist()) == {0, 2, 3}


def test_a_class_absent_in_a_fold_is_said(toy_cohort, tiny_preset):
    cohort = toy_cohort(n=18, grades=(0, 0, 2, 2, 0, 0, 2, 2, 3))
    with pytest.raises(ConfigError, match="holds no G3") as caught:
        folded_data(cohort, plan_of(tiny_preset, folds=4))
    said = str(caught.value)
    assert "2 G3 in 2 subjects" in said
    assert "Give --folds 2" in said
    assert "task=fracture" in said
    folded_data(cohort, plan_of(tiny_preset, folds=2))  # what it says works


def test_different_tasks_are_refused(toy_cohort, tiny_preset):
    plan = plan_of(tiny_preset, "as=a", "classes=['G0','G3'],as=b")
    with pytest.raises(ConfigError, match="same task"):
        folded_data(toy_cohort(), plan)


def test_everything_is_written_and_taken_up_again(toy_cohort, tiny_preset, tmp_path, listener):
    cohort, out = toy_cohort(), tmp_path / "out"
    plan = plan_of(tiny_preset, "as=a", "loss.lambda_div=0,as=b")
    cross_validate(cohort, plan, out, progress=listener)
    # The classifier is trained once a fold, for the first entry; the second finds it done.
    begun = [step for step in listener.steps if step[0] == "classifier" and step[1] == 1]
    assert len(begun) == plan.folds
    assert listener.stages[:3] == [
        f"{name}, fold {fold} of 2" for name, fold in (("a", 1), ("b", 1), ("a", 2))
    ]
    described = json.loads((out / "crossval.json").read_text())
    assert [entry["name"] for entry in described["entries"]] == ["a", "b"]
    assert len(read_folds(out / "folds.csv")) == described["subjects"]
    assert sorted(p.name for p in (out / "predictions").iterdir()) == ["a.parquet", "b.parquet"]
    listener.stages.clear()
    cross_validate(cohort, plan, out, progress=listener)
    assert not listener.stages


def test_another_experiment_in_the_folder_is_refused(toy_cohort, tiny_preset, tmp_path):
    cohort, out = toy_cohort(), tmp_path / "out"
    cross_validate(cohort, plan_of(tiny_preset, "warm.steps=1,joint.steps=1,as=a"), out)
    with pytest.raises(OutputError, match="another cross-validation"):
        cross_validate(cohort, plan_of(tiny_preset, "warm.steps=1,joint.steps=1,as=b"), out)
    other = toy_cohort(name="others", seed=1)
    with pytest.raises(OutputError, match="another cross-validation"):
        cross_validate(other, plan_of(tiny_preset, "warm.steps=1,joint.steps=1,as=a"), out)


@pytest.mark.slow
def test_processes_give_the_same_predictions(toy_cohort, tiny_preset, tmp_path):
    cohort, plan = toy_cohort(), plan_of(tiny_preset)
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        cross_validate(cohort, plan, tmp_path / "one")
    finally:
        torch.set_num_threads(threads)
    cross_validate(cohort, plan, tmp_path / "two", jobs=2)
    one, two = ((tmp_path / name / "predictions" / "tiny.parquet") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_unequal_tuning_is_refused(toy_cohort, tiny_preset):
    plan = plan_of(tiny_preset, "as=a", "loss.lambda_div=0.1|0.3,as=b")
    with pytest.raises(ConfigError, match=r"a 1, b 2.*as many for each"):
        folded_data(toy_cohort(), plan)


def test_a_fold_keeps_its_best_candidate(toy_cohort, tiny_preset, tmp_path):
    from spinexplain.experiment.crossval_results import crossval_results, results_markdown

    lr = "classifier.head_lr"
    plan = plan_of(tiny_preset, f"{lr}=0|3e-3,as=a", f"{lr}=3e-3|0,as=b")
    out = cross_validate(toy_cohort(), plan, tmp_path / "out")
    for name in "ab":
        record = json.loads((out / "runs" / name / "fold-0" / "fold.json").read_text())
        scores = record["candidates"]
        assert len(scores) == 2
        assert record["chosen"] == int(np.argmax(scores))
    results = crossval_results(out)
    assert results["entries"][0]["candidates"] == [{lr: 0.0}, {lr: 3e-3}]
    assert "2 candidates for each entry" in results_markdown(results)


def test_heads_on_an_unchanged_trunk_share_its_features(toy_cohort, tiny_preset, tmp_path):
    """Features computed once give what every run computes for itself, up to rounding."""
    still = ",".join(f"augment.{name}=0" for name in AugmentSettings.model_fields)
    text = f"{still},classifier.steps=0,joint.steps=0,last_layer.augmented_views=0"
    # at distance 0 the logarithm enlarges rounding, hence the large epsilon
    plan = plan_of(tiny_preset, f"{text},head.initial_prototypes=uniform,head.log_epsilon=0.1,as=a")
    cohort = toy_cohort()
    assert folded_data(cohort, plan).data.features is not None
    assert folded_data(cohort, plan_of(tiny_preset)).data.features is None
    cross_validate(cohort, plan, tmp_path / "once")
    assert "heads alone" in json.loads((tmp_path / "once" / "crossval.json").read_text())["trunk"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinexplain.experiment.crossval.keeps_trunk", lambda config: False)
        cross_validate(cohort, plan, tmp_path / "anew")
    tables = [
        read_predictions(tmp_path / name / "predictions" / "a.parquet") for name in ("once", "anew")
    ]
    scores = [table[["p_G0", "p_G2", "p_G3"]].to_numpy() for table in tables]
    np.testing.assert_allclose(*scores, atol=1e-3)
