import json

import pytest

from spinexplain.errors import ModelError, OutputError
from spinexplain.train.run import check_folder, make_folder


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


def test_going_on_with_another_torch_warns_that_bits_may_differ(toy_config, tmp_path):
    make_folder(tmp_path, toy_config())
    machine = tmp_path / "machine.json"
    machine.write_text(
        json.dumps(json.loads(machine.read_text()) | {"torch": "1.0", "threads": 99})
    )
    with pytest.warns(UserWarning, match=r"threads 99 -> \d+, torch 1\.0 -> "):
        make_folder(tmp_path, toy_config())
