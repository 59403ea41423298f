"""A worker that dies, hangs or poisons costs no more than its scan."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from spinexplain.jobs.batch.crew import Crew, grade_in_processes
from spinexplain.jobs.batch.outcome import CRASHED, GRADED, outcome_of

# Workers import what they run by name, so it must be a module that they can find.
NAME = "batch_toys"


@pytest.fixture
def toys(tmp_path, monkeypatch):
    source = Path(__file__).parent / "conftest.py"
    (tmp_path / f"{NAME}.py").write_text(source.read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(sys.path[1])}")
    module = importlib.import_module(NAME)
    yield module
    sys.modules.pop(NAME, None)


def _run(toys, out, names, **crew):
    scans = toys.scans(*names)
    found = grade_in_processes(scans, out, toys.nothing_to_load, Crew(**crew), toys.toy_work)
    return {one.name: one.state for one in found}


def test_each_scan_once(toys, tmp_path):
    names = [f"s{i}" for i in range(7)]
    assert _run(toys, tmp_path, names, workers=2) == dict.fromkeys(names, GRADED)
    assert sorted((tmp_path / "log.txt").read_text().split()) == names


def test_a_poisonous_scan_is_given_up_and_the_others_are_graded(toys, tmp_path):
    found = _run(toys, tmp_path, ["a", "die", "b", "once-c", "d"], workers=2)
    assert found == {"die": CRASHED, "a": GRADED, "b": GRADED, "once-c": GRADED, "d": GRADED}
    counts = Counter((tmp_path / "log.txt").read_text().split())
    assert counts == {"a": 1, "die": 2, "b": 1, "once-c": 2, "d": 1}
    assert outcome_of(tmp_path, "die").reason == "WorkerDied"


def test_a_hanging_scan_is_killed(toys, tmp_path):
    found = _run(toys, tmp_path, ["hang", "a"], workers=1, attempts=1, scan_seconds=8.0)
    assert found == {"hang": CRASHED, "a": GRADED}


def test_nothing_to_do(toys, tmp_path):
    assert _run(toys, tmp_path, [], workers=2) == {}
