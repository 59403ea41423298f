import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spinexplain.errors import ConfigError, OutputError
from spinexplain.experiment.trials import Trials, run_trials
from spinexplain.experiment.trials_sources import parse_source
from spinexplain.models.bundle.store import load_grader


@pytest.fixture
def trials(box_cohort, tiny_detector, tmp_path):
    one, two = box_cohort("one", 5, seed=1), box_cohort("two", 5, seed=2)
    held = box_cohort("held", 3, seed=3, split="test")
    train = [parse_source(str(one), "training"), parse_source(f"{one}+{two}", "training")]
    test = [parse_source(str(held), "test")]
    return Trials(tiny_detector, train, test, 2, tmp_path / "out")


def test_every_training_set_is_trained_by_every_seed_and_tested_on_every_set(trials):
    result = run_trials(trials)
    rows = {(row.train, row.test): row for row in result.crossings}
    assert set(rows) == {("one", "held"), ("one+two", "held"), ("height loss alone", "held")}
    assert [len(row.runs) for row in rows.values()] == [2, 2, 1]
    assert {(row.vertebrae, row.fractures) for row in rows.values()} == {(9, 3)}
    assert result.training["one"] == {"vertebrae": 15, "fractures": 5}
    assert result.training["one+two"] == {"vertebrae": 30, "fractures": 10}
    heights = rows[("height loss alone", "held")].runs[0]
    assert heights["auc"] == heights["accuracy"] == 1.0
    table = pd.read_parquet(trials.out / "predictions" / "one+two--seed1--held.parquet")
    assert set(table["subject"]) == {"held/sub-0", "held/sub-1", "held/sub-2"}
    assert set(table["grade"]) == {"G0", "G2"}
    assert table["label"].tolist() == [int(grade == "G2") for grade in table["grade"]]
    assert table["score"].between(0, 1).all()
    runs = sorted(path.name for path in (trials.out / "runs").iterdir())
    assert runs == ["one+two--seed0", "one+two--seed1", "one--seed0", "one--seed1"]
    grader = load_grader(trials.out / "runs" / "one+two--seed1" / "bundle")
    assert grader.classes == trials.config.classes
    assert "(cohort one+two, training)" in grader.info.trained_on


def test_a_cohort_without_the_split_is_refused_before_anything_is_written(trials):
    absent = [replace(trials.test[0], split="validation")]
    with pytest.raises(ConfigError, match="in split validation; its splits are test"):
        run_trials(replace(trials, test=absent))
    with pytest.raises(ConfigError, match="in split validation; its splits are training"):
        run_trials(replace(trials, train=[replace(trials.train[0], split="validation")]))
    assert not trials.out.exists()


def test_joined_test_sets_have_the_scores_of_their_cohorts(trials, box_cohort):
    more = parse_source(f"{trials.test[0].cohorts[0]}+{box_cohort('more', 2, seed=4)}", None)
    tests = [trials.test[0], more]
    run_trials(Trials(trials.config, trials.train[:1], tests, 1, trials.out))
    folder = trials.out / "predictions"
    held = pd.read_parquet(folder / "one--seed0--held.parquet")
    joined = pd.read_parquet(folder / "one--seed0--held+more.parquet")
    pd.testing.assert_frame_equal(joined[: len(held)], held)
    assert set(joined["subject"][len(held) :]) == {"more/sub-0", "more/sub-1"}


def test_a_stopped_experiment_goes_on_and_what_is_done_is_not_touched(trials, monkeypatch):
    first = run_trials(trials)
    gone = trials.out / "predictions" / "one--seed1--held.parquet"
    kept = trials.out / "predictions" / "one--seed0--held.parquet"
    before = pd.read_parquet(gone)
    gone.unlink()
    stamp = kept.stat().st_mtime_ns
    again = run_trials(trials)
    pd.testing.assert_frame_equal(pd.read_parquet(gone), before)
    assert kept.stat().st_mtime_ns == stamp
    assert again == first

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr("spinexplain.train.grading.recipes.train_model", never)
    assert run_trials(trials) == first


def test_other_settings_do_not_go_into_the_same_folder(trials, box_cohort):
    run_trials(trials)
    other = Trials(
        trials.config.model_copy(update={"validation_share": 0.4}),
        trials.train,
        trials.test,
        2,
        trials.out,
    )
    with pytest.raises(OutputError, match="other settings"):
        run_trials(other)
    more = Trials(trials.config, trials.train, trials.test, 3, trials.out)
    assert len(run_trials(more).crossings[0].runs) == 3


def test_three_classes_and_equal_names_are_refused(trials, tmp_path):
    three = trials.config.model_copy(update={"classes": ("G0", "G2", "G3"), "grades": {}})
    with pytest.raises(ConfigError, match="3 classes; trials expects two"):
        run_trials(Trials(three, trials.train, trials.test, 1, tmp_path / "x"))
    twice = [trials.train[0], trials.train[0]]
    with pytest.raises(ConfigError, match="expected different names"):
        run_trials(Trials(trials.config, twice, trials.test, 1, tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_unknown_losses_leave_the_heights_row_out(box_cohort, tiny_detector, tmp_path):
    one = box_cohort("one", 5, seed=1)
    held = box_cohort("held", 3, seed=3, split="test", loss=(np.nan,) * 4)
    sources = [parse_source(str(one), None)], [parse_source(str(held), None)]
    result = run_trials(Trials(tiny_detector, *sources, 1, tmp_path / "out"))
    assert [row.train for row in result.crossings] == ["one"]
    stored = json.loads((tmp_path / "out" / "result.json").read_text())
    assert stored["crossings"][0]["standard_deviation"]["auc"] is None
