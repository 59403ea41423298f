"""A run's folder and history; whole runs are in test_protoverse and test_detector."""

import json

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError, OutputError
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.run import Run, check_folder, drop_unbegun, make_folder, seeded_build


def test_a_run_remembers_its_settings_and_machine(toy_config, tmp_path):
    config = toy_config()
    check_folder(tmp_path / "run", config, resume=False)
    make_folder(tmp_path / "run", config)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["seed"] == 0
    with pytest.raises(OutputError, match="holds a run already"):
        check_folder(tmp_path / "run", config, resume=False)
    with pytest.raises(ModelError, match="other settings"):
        check_folder(tmp_path / "run", toy_config(seed=1), resume=True)
    check_folder(tmp_path / "run", config, resume=True)


def test_a_run_of_an_earlier_version_lacks_later_settings(toy_config, tmp_path):
    config = toy_config()
    make_folder(tmp_path, config)
    settings = tmp_path / "config.json"
    stored = json.loads(settings.read_text())
    del stored["joint"]["average"]  # its default turns it off
    settings.write_text(json.dumps(stored))
    check_folder(tmp_path, config, resume=True)
    averaged = config.model_copy(update={"joint": config.joint.model_copy(update={"average": 0.9})})
    for text, asked in ((settings.read_text(), averaged), ("{", config)):
        settings.write_text(text)
        with pytest.raises(ModelError, match="other settings"):
            check_folder(tmp_path, asked, resume=True)


def test_a_run_that_never_began_leaves_nothing(toy_config, tmp_path):
    run = tmp_path / "run"
    make_folder(run, toy_config())
    (run / "log.csv").touch()
    drop_unbegun(run)
    assert (run / "config.json").exists()  # it had begun
    (run / "log.csv").unlink()
    drop_unbegun(run)
    assert not run.exists()


def test_going_on_with_another_torch_warns_that_bits_may_differ(toy_config, tmp_path):
    make_folder(tmp_path, toy_config())
    machine = tmp_path / "machine.json"
    machine.write_text(
        json.dumps(json.loads(machine.read_text()) | {"torch": "1.0", "threads": 99})
    )
    with pytest.warns(UserWarning, match=r"threads 99 -> \d+, torch 1\.0 -> "):
        make_folder(tmp_path, toy_config())


def test_history_grows_on_disk_entry_by_entry(toy_set, toy_config, tmp_path):
    data = toy_set()
    half = data.take(np.arange(30))
    run = Run(toy_config(), half, half, Journal(tmp_path), lambda *_: None, start_fabric())
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
