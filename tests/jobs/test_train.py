import json

import pytest

from spinexplain.data.cohort import Cohort
from spinexplain.errors import OutputError
from spinexplain.jobs.train import TrainRequest, train_to_bundle
from spinexplain.models.bundle.folder import read_description


def test_the_run_remembers_its_cohort_and_the_bundle_says_what_it_saw(
    squares_cohort, tiny_preset, tmp_path, listener
):
    cohort, run = squares_cohort(), tmp_path / "run"
    request = TrainRequest(f"{tiny_preset}:input.extent_mm=32", cohort, run, split="all", seed=5)
    figures = train_to_bundle(request, listener)
    assert 0 <= figures["f1"] <= 1
    assert json.loads((run / "cohort.json").read_text())["path"] == str(cohort)
    assert json.loads((run / "config.json").read_text())["seed"] == 5
    description = read_description(run / "bundle")
    assert description.name == "tiny-run"
    assert "synthetic spines only (cohort squares, all)" in description.trained_on
    names = [name for name, done, total in listener.steps if done == total]
    assert names[:2] == ["classifier", "warm"]
    assert len(Cohort.open(cohort)) == 24


def test_a_run_is_not_overwritten(finished_run, tiny_preset):
    run, cohort = finished_run
    before = (run / "config.json").read_bytes()
    with pytest.raises(OutputError, match="--resume"):
        train_to_bundle(TrainRequest(str(tiny_preset), cohort, run))
    assert (run / "config.json").read_bytes() == before
