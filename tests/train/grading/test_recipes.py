import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from fixtures import training_sets
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


PLACES = ("warm", "joint", "project", "tune_last_layer")
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
import spinexplain.train.engine.loop as loop
import spinexplain.train.grading.protoverse as protoverse
from fixtures.training_sets import toy_config, toy_set
from spinexplain.progress import Steps
from spinexplain.train.grading.recipes import train_model

out, places = Path(sys.argv[1]), sys.argv[3:]
torch.set_num_threads(int(sys.argv[2]))
loop.SAVE_EVERY_STEPS = 2
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

def train(where):
    if where in ("project", "tune_last_layer"):
        setattr(protoverse, where, die)
    at = {{"warm": ("warm", 3), "joint": ("joint-1", 5)}}.get(where)
    train_model(
        toy_config.__wrapped__()(), toy_set.__wrapped__()(n=36), out / where,
        progress=Steps(lambda phase, done, steps: die() if (phase, done) == at else None),
    )

for where in places:  # importing torch costs more than such a training
    child = os.fork()
    if not child:
        train(where)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (where, status)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Runs whose processes died without a word, by where they died."""
    out = tmp_path_factory.mktemp("killed")
    script = out / "train.py"
    script.write_text(KILLED.format(tests=str(Path(__file__).parents[2])))
    command = [sys.executable, str(script), str(out), str(torch.get_num_threads()), *PLACES]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same training without a death: its run, and the weights."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
        config, data = (
            training_sets.toy_config.__wrapped__()(),
            training_sets.toy_set.__wrapped__()(n=36),
        )
        return run, train_model(config, data, run).model.state_dict()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("where", PLACES)
def test_kill_minus_nine_and_resume_give_the_same_bits(
    where, killed, whole, toy_set, toy_config, monkeypatch
):
    """The process dies in a phase of descent, or between the phases; this one resumes."""
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    trained = train_model(toy_config(), toy_set(n=36), killed / where, resume=True)
    resumed, (run, weights) = trained.model.state_dict(), whole
    assert list(resumed) == list(weights)
    assert all(torch.equal(resumed[name], value) for name, value in weights.items())
    assert (killed / where / "log.csv").read_text() == (run / "log.csv").read_text()


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
