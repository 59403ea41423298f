import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spinexplain.cli.main import app
from spinexplain.config.training import read_config
from spinexplain.errors import FileFormatError, OutputError
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.reproduce import experiments
from spinexplain.reproduce.setting import Setting

ROOT = Path(__file__).parents[2]


def test_every_stored_comparison_has_its_command():
    stored = {path.name for path in (ROOT / "docs" / "results" / "experiments").iterdir()}
    assert stored <= set(experiments.commands())


def test_commands_name_presets_and_options_that_are_there():
    for folder, command in experiments.commands().items():
        shown = CliRunner().invoke(app, [command[0], "--help"], env={"COLUMNS": "200"}).output
        assert all(part in shown for part in command if part.startswith("--")), folder
        for part in command:
            name = part.partition(":")[0]
            if name.endswith(".toml"):
                assert (ROOT / "experiments" / "phantom" / name).is_file()


def test_the_commands_are_those_of_the_readme():
    said = (ROOT / "experiments" / "phantom" / "README.md").read_text()
    for over in (*experiments.OVER, experiments.WEIGHTING):
        assert over in said
    assert experiments.TUNED in said


def test_presets_start_from_the_trunk_that_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "TRUNK_SHEETS", ("balanced", 1, 45))
    monkeypatch.setattr(experiments, "TRUNK_STEPS", 1)
    work = tmp_path / "work"
    experiments.copy_presets(ROOT, work)
    setting = Setting(ROOT, tmp_path, tmp_path, tmp_path)
    trunk = experiments.plain_trunk(setting, work)
    assert trunk.name == tomllib.loads((work / "heads.toml").read_text())["trunk"]["weights"]
    settings = read_config(work / "heads.toml")
    own = settings.trunk.model_copy(update={"weights": str(trunk)})
    build_trunk(own, settings.input)
    made = trunk.stat().st_mtime_ns
    assert experiments.plain_trunk(setting, work).stat().st_mtime_ns == made
    with pytest.raises(FileFormatError, match="experiments/phantom"):
        experiments.copy_presets(tmp_path, tmp_path / "work")


def test_figures_are_kept_and_networks_are_not(tmp_path, monkeypatch, listener):
    asked = []

    def run(command, work):
        asked.append(command[0])
        if command[0] != "phantom":
            folder = work / command[command.index("-o") + 1]
            (folder / "runs").mkdir(parents=True, exist_ok=True)
            (folder / "runs" / "model.json").write_text("{}")
            (folder / "results.json").write_text("{}")

    monkeypatch.setattr(experiments, "run", run)
    monkeypatch.setattr(experiments, "plain_trunk", lambda setting, work: work)
    setting = Setting(ROOT, tmp_path, tmp_path / "results", tmp_path, 2, listener)
    for _ in range(2):
        experiments.measure(setting)
    assert asked.count("evaluate") == 4  # the second time they are there
    found = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert {path.name for path in found} == {"results.json"}
    assert len(found) == len(experiments.commands())


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(OutputError, match=r"`spinexplain phantom` failed \(.*nothing"):
        experiments.run(("phantom", "out", "--preset", "nothing"), tmp_path)


def test_the_module_runs_as_the_command(tmp_path):
    command = [sys.executable, "-m", "spinexplain.cli.main", "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
