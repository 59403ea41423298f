import json
import shutil

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.train.grading.run_folder import COHORT_FILE, open_run


def test_a_run_remembers_its_cohort_and_the_time_before_projection(finished_run):
    run, cohort = finished_run
    opened = open_run(run)
    assert opened.cohort == cohort
    assert opened.split == "training"
    kept = torch.load(run / "joint-1.ckpt", weights_only=True)["model"]["prototypes"]
    np.testing.assert_allclose(opened.before, kept.numpy())
    assert opened.config.name == "tiny"


def test_a_bundle_alone_knows_neither(finished_run):
    opened = open_run(finished_run[0] / "bundle")
    assert opened.before is None
    assert opened.cohort is None
    assert opened.fingerprint == open_run(finished_run[0]).fingerprint


def test_a_checkpoint_of_another_training_is_not_taken(finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    state = torch.load(run / "joint-1.ckpt", weights_only=True)
    state["model"]["add_on.0.bias"] += 1
    torch.save(state, run / "joint-1.ckpt")
    assert open_run(run).before is None


def test_a_broken_checkpoint_says_so(finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    (run / "joint-1.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match=r"joint-1\.ckpt"):
        open_run(run)


def test_a_run_without_a_bundle(finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    shutil.move(run / "bundle", tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="--bundle"):
        open_run(run)
    assert open_run(run, tmp_path / "elsewhere").before is not None


def test_what_the_run_says_about_its_cohort_is_broken(finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    (run / COHORT_FILE).write_text("{")
    with pytest.raises(ModelError, match="--cohort"):
        open_run(run)
    (run / COHORT_FILE).write_text(json.dumps({"path": 3, "split": "test"}))
    assert open_run(run).cohort is None


def test_nothing_there(tmp_path):
    with pytest.raises(ModelError, match="shipped model"):
        open_run(tmp_path / "nothing")
