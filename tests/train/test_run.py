"""A run's folder and history; whole runs are in test_protoverse and test_detector."""

import json

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError, OutputError
from spinexplain.train.fit import Journal
from spinexplain.train.run import Run, run_folder, seeded_build


def test_a_folder_is_taken_up_by_the_same_settings_only(toy_config, tmp_path):
    config = toy_config()
    folder = run_folder(tmp_path / "run", config, resume=False)
    assert json.loads((folder / "config.json").read_text())["name"] == config.name
    assert run_folder(folder, config, resume=True) == folder
    with pytest.raises(OutputError, match="holds a run already"):
        run_folder(folder, config, resume=False)
    with pytest.raises(ModelError, match="other settings"):
        run_folder(folder, toy_config(seed=1), resume=True)


def test_history_grows_on_disk_entry_by_entry(toy_set, toy_config, tmp_path):
    data = toy_set()
    half = data.take(np.arange(30))
    run = Run(toy_config(), half, half, Journal(tmp_path), lambda *_: None)
    run._note({"after": "one", "f1": 0.5})
    run._note({"after": "two", "f1": 0.6})
    stored = json.loads((tmp_path / "validation.json").read_text())
    assert [entry["after"] for entry in stored] == ["one", "two"]
    assert run.weights.tolist() == [1, 1, 1]


def test_building_is_seeded_and_leaves_the_global_state_alone():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    with seeded_build(1):
        first = torch.rand(2)
    with seeded_build(1):
        assert torch.equal(first, torch.rand(2))
    assert torch.equal(before, torch.random.get_rng_state())
