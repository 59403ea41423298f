import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

import spinexplain.cli
from spinexplain.cli import main
from spinexplain.cli.main import EXTRAS, app

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [info.name for info in app.registered_commands]


def test_every_command_module_is_registered():
    modules = [m.name for m in pkgutil.iter_modules(spinexplain.cli.__path__)]
    with_command = {
        name.replace("_", "-")
        for name in modules
        if hasattr(importlib.import_module(f"spinexplain.cli.{name}"), "command")
    }
    assert with_command == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example: spinexplain" in result.output


def test_version(spinexplain):
    assert spinexplain("--version").out.strip() == "0.1.0"


def test_unknown_command_is_the_users_mistake(spinexplain):
    ended = spinexplain("grad")
    assert ended.code == 2
    assert "'grad'" in ended.line
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["grade"], "'CT'"),
        (["grade", "ct.nii.gz"], "'--out'"),
        (["grade", "ct.nii.gz", "-o", "out", "--lables", "m.nii.gz"], "--labels"),
        (["prepare", "folder", "-o", "cohort", "--jobs", "many"], "'--jobs'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_says_where_help_is(spinexplain, arguments, named):
    ended = spinexplain(*arguments)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert named in ended.line
    assert ended.line.endswith(f"See spinexplain {arguments[0]} --help.")


def test_no_command_shows_help(spinexplain):
    assert "Usage" in spinexplain().out


def test_control_characters_of_file_names_do_not_reach_the_terminal(spinexplain, tmp_path):
    name = tmp_path / "evil\x1b[31m\n<b>.nii.gz"
    ended = spinexplain("grade", name, "--labels", name, "-o", tmp_path / "out")
    assert ended.code == 2
    assert "\x1b" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_missing_extra_is_named_with_how_to_install_it(spinexplain, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setattr(main, "app", lambda **_: importlib.import_module("pandas"))
    ended = spinexplain("prepare")
    assert ended.code == 2
    assert "pandas is not installed" in ended.line
    assert 'pip install "spinexplain[train]"' in ended.line


def test_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        extra: {Requirement(line).name.lower().replace("-", "_") for line in lines}
        for extra, lines in project["optional-dependencies"].items()
        if extra in EXTRAS
    }
    wanted["node"].remove("spinexplain")  # its own extra dicom
    modules = {"scikit_learn": "sklearn", "pyjpegls": "jpeg_ls", "argon2_cffi": "argon2"}
    wanted = {extra: {modules.get(n, n) for n in names} for extra, names in wanted.items()}
    assert {name: set(modules) for name, modules in EXTRAS.items()} == wanted


def test_a_missing_module_of_no_extra_is_our_fault(spinexplain, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "spinexplain.io.read", None)
    with pytest.raises(ModuleNotFoundError):
        spinexplain("measure", "a.nii", "--labels", "m.nii.gz", "-o", tmp_path / "h.csv")


def test_our_own_faults_leave_with_1():
    code = (
        "from spinexplain.cli import main\n"
        "def fail(*a, **k): raise RuntimeError('bug')\n"
        "main.app = fail\nmain.run([])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "RuntimeError: bug" in done.stderr
