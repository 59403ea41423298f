import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from spinexplain.config.heads import HEADS
from spinexplain.errors import ConfigError, SpinexplainError
from spinexplain.train.grading.recipes import check_parts, recipe_of, train_model, warn_of_absent


def test_batches_that_processes_can_not_share_are_refused(toy_config):
    with pytest.raises(ConfigError, match=r"\[warm\] has batches of 15"):
        check_parts(toy_config(warm={"batch": 15, "steps": 1}), rows=60, processes=2)
    check_parts(toy_config(warm={"batch": 15, "steps": 0}), rows=60, processes=2)
    check_parts(toy_config(warm={"batch": 15, "steps": 1}), rows=60, processes=1)


def test_boxes_too_few_for_the_processes_are_refused(detector_config):
    """Batches of 7 boxes, some of 6 or fewer: three would see a single box now and then."""
    config = detector_config(detector={"batch": 7})
    with pytest.raises(ConfigError, match=r"\[detector\] has batches of 7.*at least 12"):
        check_parts(config, rows=60, processes=3)
    check_parts(config, rows=60, processes=1)


def test_crops_of_another_kind_are_refused_before_there_is_a_run(toy_set, toy_config, tmp_path):
    config = toy_config(input={"extent_mm": 48, "size": 48})
    with pytest.raises(ConfigError, match=r"44 x 44 mm.*at least 48 x 48 mm"):
        train_model(config, toy_set(n=12), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_class_that_validation_lacks_is_warned_of(toy_set, toy_config):
    data, config = toy_set(), toy_config()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_absent(data, config)
    with pytest.warns(UserWarning, match="no vertebra of class G0, G3 among the"):
        warn_of_absent(data.take(data.grades == 2), config)


def test_a_mistyped_weight_file_leaves_no_run(toy_set, toy_config, tmp_path):
    config = toy_config(trunk={"name": "vgg11", "weights": str(tmp_path / "none.pth")})
    with pytest.raises(SpinexplainError, match=r"none\.pth"):
        train_model(config, toy_set(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import spinexplain.train.engine.loop as loop
import spinexplain.train.grading.protoverse as protoverse
from fixtures.training_sets import toy_config, toy_set
from spinexplain.progress import Steps
from spinexplain.train.grading.recipes import train_model

where, out = sys.argv[1], Path(sys.argv[2])
loop.SAVE_EVERY_STEPS = 2
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if where in ("project", "tune_last_layer"):
    setattr(protoverse, where, die)
at = {{"warm": ("warm", 3), "joint": ("joint-1", 5)}}.get(where)
train_model(
    toy_config.__wrapped__()(), toy_set.__wrapped__()(n=36), out,
    progress=Steps(lambda phase, done, steps: die() if (phase, done) == at else None),
)
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["warm", "joint", "project", "tune_last_layer"])
def test_kill_minus_nine_and_resume_give_the_same_bits(
    where, toy_set, toy_config, tmp_path, monkeypatch
):
    """The process dies without a word in a phase of descent, or between the phases.

    Another process, this one, resumes what was begun and trains the whole beside it.
    """
    script = tmp_path / "train.py"
    script.write_text(KILLED.format(tests=str(Path(__file__).parents[2])))
    command = [sys.executable, str(script), where, str(tmp_path / "cut")]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    data, config = toy_set(n=36), toy_config()
    resumed = train_model(config, data, tmp_path / "cut", resume=True).model.state_dict()
    whole = train_model(config, data, tmp_path / "whole").model.state_dict()
    assert list(resumed) == list(whole)
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("cut", "whole")]
    assert logs[0] == logs[1]


def test_every_kind_of_head_has_a_recipe():
    assert all(callable(recipe_of(kind)) for kind in HEADS)
    with pytest.raises(ConfigError, match='Did you mean "linear"'):
        recipe_of("liner")


def test_each_head_is_trained_by_its_own_recipe(toy_set, toy_config, tmp_path, monkeypatch):
    for kind in ("linear", "prototype"):
        own = HEADS[kind].recipe.replace(":", ".")
        monkeypatch.setattr(own, lambda arguments, kind=kind: (kind, len(arguments[1])))
        got = train_model(toy_config(head={"kind": kind}), toy_set(), tmp_path / kind)
        assert got[0] == kind
        assert 0 < got[1] < len(toy_set())
