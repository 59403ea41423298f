from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.receptive import ReceptiveField
from spinexplain.reproduce.curation import (
    SETTINGS,
    Case,
    answers,
    compared,
    figures,
    order_of,
    over_opponents,
    positions_mm,
    solved_again,
)
from spinexplain.train.curation.sets import curation_sets
from spinexplain.train.grading.run_folder import open_run


def test_a_cell_of_the_small_model_sees_less_than_the_way_to_the_mark():
    """14 mm before the wall; the trunk's field reaches 19 mm from its center."""
    from spinexplain.models.trunks.backbones import build_trunk

    config = TrainConfig(**SETTINGS)
    trunk = build_trunk(config.trunk, config.input)
    assert trunk.field.size * config.input.extent_mm / config.input.size == 38


def test_places_of_cells_by_hand():
    model = SimpleNamespace(trunk=SimpleNamespace(field=ReceptiveField(9, 4, 1.5)))
    spec = SimpleNamespace(extent_mm=32.0, size=16)
    case = SimpleNamespace(model=model, config=SimpleNamespace(input=spec))
    seen = SimpleNamespace(cells=np.array([[0, 5]]), grid=(4, 4))
    # Cell (0, 0) is centered on sample 1.5, cell (1, 1) on 5.5, half a sample in, 2 mm each.
    assert positions_mm(seen, case).tolist() == [[[4.0, 4.0], [12.0, 12.0]]]


@pytest.fixture
def case(finished_run, toy_config):
    """The tiny run, as a case."""
    opened = open_run(finished_run[0])
    cohort = Cohort.open(finished_run[1])
    sets = curation_sets(opened.config, cohort, "training")
    return Case(load_grader(finished_run[0], runtime="torch"), opened.config, sets, sets.training)


def test_solving_again_without_a_decision_changes_nothing(case):
    """The problem is convex: the model is at its optimum already."""
    again = solved_again(case)
    torch.testing.assert_close(
        again.last_layer.weight, case.model.last_layer.weight, atol=5e-3, rtol=1e-3
    )


def test_gains_are_counted_by_hand(case):
    before = answers(case, case.model)
    same = compared(case, before, [before])
    assert same["gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    found = figures(case, before)
    fractured = case.test.grades == 2  # class 1 of three in the tiny run
    assert found["unmarked"]["sensitivity"] == pytest.approx((before[1][fractured] > 0).mean())
    always = (before[0], np.full(len(case.test), 1.0))
    never = (before[0], np.full(len(case.test), -1.0))
    mixed = compared(case, never, [always])
    assert mixed["gain"]["value"] == pytest.approx(fractured.mean() - (~fractured).mean())


def test_a_way_is_held_against_its_opponent():
    names = np.arange(30).astype(str)
    ways = {
        "remove": {"accuracy": 1, "right": [1.0] * 30},
        "remove another": {"accuracy": 0, "right": [0.5] * 30},
        "re-solve": {"accuracy": 0, "right": [0.0] * 30},
    }
    found = over_opponents(ways, names)
    assert found["remove"]["over"] == {
        "opponent": "remove another",
        **{"value": 0.5, "low": 0.5, "high": 0.5},
    }
    assert "over" not in found["re-solve"]
    assert all("right" not in one for one in found.values())


def test_the_rule_says_outside_the_vertebra(case):
    decisions = order_of(case, [2, 5]).decisions
    assert [one.prototype for one in decisions.rejected] == [2, 5]
    assert {one.reason for one in decisions.rejected} == {"outside the vertebra"}
