import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from spinexplain.errors import ConfigError
from spinexplain.train.engine.processes import (
    describe_machine,
    is_first_process,
    start_fabric,
)
from spinexplain.train.grading.recipes import train_model

SETTINGS = {
    "classifier": {"steps": 0},
    "warm": {"steps": 3},
    "joint": {"steps": 3},
    "loss": {"lambda_outside": 1.0},
    # Adam enlarges how a blur is rounded; that it knows no neighbor is test_rescan's to show.
    "augment": {"blur_mm": 0.0},
}
DETECTOR = {
    "detector": {"epochs": 2, "batch": 8},
    "head": {"dropout": 0.0},
    "loss": {"lambda_height": 1.0},
}
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
from fixtures.training_sets import boxes, detector_config, toy_config, toy_set
from spinexplain.train.grading.recipes import train_model

out = Path(sys.argv[1])
config = toy_config.__wrapped__()(**{settings!r})
train_model(config, toy_set.__wrapped__()(n=36), out / "prototypes", processes=2)
config = detector_config.__wrapped__()(**{detector!r})
trained = train_model(config, boxes.__wrapped__()(n=48), out / "detector", processes=2)
torch.save(trained.model.state_dict(), out / f"rank{{torch.distributed.get_rank()}}.pt")
"""


@pytest.fixture(scope="module")
def in_two(tmp_path_factory):
    """What two processes make of a prototype network and, one after the other, a detector."""
    out = tmp_path_factory.mktemp("in-two")
    script = out / "train.py"
    tests = str(Path(__file__).parents[2])
    script.write_text(SCRIPT.format(tests=tests, settings=SETTINGS, detector=DETECTOR))
    command = [sys.executable, str(script), str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    return out


def test_one_process_is_the_first_and_needs_no_launch():
    fabric = start_fabric()
    assert (fabric.global_rank, fabric.world_size) == (0, 1)
    assert is_first_process()


def test_unknown_devices_are_refused():
    with pytest.raises(ConfigError, match='expected "cpu" or "cuda"'):
        start_fabric("gpu")
    with pytest.raises(ConfigError, match="CUDA"):
        start_fabric("cuda", 1 + torch.cuda.device_count())


def test_the_machine_is_described_by_what_changes_bits():
    machine = describe_machine()
    assert machine["torch"] == torch.__version__
    assert machine["threads"] == torch.get_num_threads()


def losses(run):
    rows = list(csv.DictReader((run / "log.csv").open()))
    return [float(row["value"]) for row in rows if row["term"] == "total"]


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(toy_set, toy_config, in_two, tmp_path):
    """Each takes half of every batch; the trunk's statistics are frozen."""
    train_model(toy_config(**SETTINGS), toy_set(n=36), tmp_path / "1")
    one, two = losses(tmp_path / "1"), losses(in_two / "prototypes")
    assert len(one) == len(two) == 6
    # Before and after the first step alike; then Adam enlarges rounding, by processor.
    np.testing.assert_allclose(two[:2], one[:2], rtol=1e-4)
    np.testing.assert_allclose(two, one, rtol=2e-2)


@pytest.mark.slow
def test_a_detector_s_processes_end_with_the_same_best_epoch(
    boxes, detector_config, in_two, tmp_path
):
    """BatchNorm sees each process's part, so its losses are those of one process but for that."""
    train_model(detector_config(**DETECTOR), boxes(n=48), tmp_path / "1")
    one, two = losses(tmp_path / "1"), losses(in_two / "detector")
    assert len(one) == len(two)
    assert two[0] == pytest.approx(one[0], rel=0.5)
    first, second = (torch.load(in_two / f"rank{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
