import numpy as np
import pytest

from spinexplain.explainers.dissection.effect import mean_levels
from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.reproduce.dissection import intervals, use
from spinexplain.reproduce.dissection.evidence import units_of
from spinexplain.reproduce.dissection.use import auc_of, cost_of, lost_difference
from toy_dissection import UNITS, toy_grader, write_toy_cohort


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    grader = toy_grader()
    cohort = write_toy_cohort(tmp_path_factory.mktemp("toy") / "c")
    samples = select_samples(cohort, grader.spec, grader.task)
    units, activity, _ = units_of(grader, samples, "layers", 0.95)
    return grader, samples, units, mean_levels(activity)


def test_the_one_unit_the_network_uses_costs_it_everything(case, monkeypatch):
    grader, samples, units, levels = case
    monkeypatch.setattr(use, "TOP", 1)
    monkeypatch.setattr(use, "GROUPS", 2)
    monkeypatch.setattr(intervals, "DRAWS", 5)
    only = np.array([UNITS.index("bright")])
    monkeypatch.setattr(type(units), "top", lambda self, by, times=None: only)
    found = use.use_of_units(grader, samples, units, levels, "layers")
    assert found["auc"] == 1.0
    assert found["contrast"]["auc"] == pytest.approx(0.5)
    assert found["random"]["auc"] == 1.0
    assert found["random"]["fractured"] == pytest.approx(0.0)
    assert found["difference"]["random"]["low"] > 0


def test_costs_by_hand(case):
    units = case[2]
    odds = np.where(units.positive, 2.0, -1.0)
    lost = np.where(units.positive, 1.5, 0.5)
    assert auc_of(odds, units) == 1.0
    assert cost_of(odds, lost, units) == {"auc": 1.0, "fractured": 1.5, "healthy": 0.5}
    assert lost_difference(lost, lost - 0.25, units)["mean"] == pytest.approx(0.25)
