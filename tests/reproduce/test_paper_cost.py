from pathlib import Path

import pytest

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.reproduce.paper_cost import (
    Cost,
    cost_words,
    crop_gflop,
    step_hours,
    training_cost,
)
from spinexplain.reproduce.papers import Asked, Step, verse19

FOLDER = Path(__file__).parents[2] / "experiments" / "verse19"


def test_operations_by_hand():
    """Two 3 x 3 convolutions on 8 x 8 cells, of 3 channels and of 8, then a linear layer."""
    config = TrainConfig(
        trunk={"name": "conv", "weights": "none", "blocks": 1, "widths": [8], "max_stride": 2},
        input={"size": 16},
        head={"kind": "linear"},
        classes=("G0", "G3"),
    )
    cells = 8 * 8
    assert crop_gflop(config) * 1e9 == 2 * (cells * 8 * (27 + 72) + 8 * 2)


def test_a_training_by_hand():
    config = TrainConfig(
        classifier={"steps": 10, "batch": 4}, warm={"steps": 5, "batch": 4}, joint={"steps": 0}
    )
    cost = training_cost(config, 2.0)
    assert cost.crops == 60
    assert cost.gpu_gflop == 2.0 * (40 * 3 + 20)


def test_an_hour_of_each():
    assert Cost(10_000 * 3600, 0, 0, 2).hours == pytest.approx(1)
    assert Cost(0, 100 * 3600, 0, 2).hours == pytest.approx(1)
    assert Cost(0, 0, 1_200_000, 2).hours == pytest.approx(1)


def test_steps_are_counted_with_folds_candidates_and_seeds():
    steps = {step.name: step for step in verse19(Asked((), Path("t")))}
    once = step_hours(steps["protoverse, seed 0"], FOLDER)
    assert step_hours(steps["cohort"], FOLDER) == 0
    assert once > 0
    weighting = step_hours(steps["weighting"], FOLDER)  # 4 schemes, 2 more seeds, 5 folds
    assert weighting == pytest.approx(30 * once, rel=0.01)
    text = "\n".join(cost_words(list(steps.values()), FOLDER, {"cohort": 0.25}))
    assert "| cohort | all |  | 0.25 |" in text


def test_a_packaged_preset_needs_no_folder(tmp_path):
    trials = Step("t", ("trials", "detector", "--seeds", "2"), "", "table 1")
    one = training_cost(read_config("detector"), crop_gflop(read_config("detector"))).hours
    assert step_hours(trials, tmp_path) == pytest.approx(2 * one)
