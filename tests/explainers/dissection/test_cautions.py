import numpy as np
from torch import nn

from spinexplain.analysis.dissection.dissect import DissectionPlan, dissect
from spinexplain.explainers.dissection.cautions import cautions
from spinexplain.explainers.dissection.statistics import Outcomes
from spinexplain.models.trunks.unet3d import BatchStatisticsNorm3d


def _outcomes(fractures, persons):
    positive = np.repeat([True, False], [fractures, 1])
    subjects = np.arange(fractures + 1) % persons
    return Outcomes(positive, positive, subjects.astype(str))


def _said(*arguments, model=None):
    return {one.key: dict(one.values) for one in cautions(model or nn.ReLU(), *arguments)}


def test_the_network_counts_where_its_fractures_are_known_else_the_cohort():
    many = _outcomes(1000, 500)
    assert _said(many, "training", 1000) == {}
    assert _said(many, "training", None) == {}
    assert _said(many, "training", 254) == {"few_learned": {"count": 254}}
    few = _outcomes(999, 500)
    assert _said(few, "training", None) == {"few_in_cohort": {"count": 999}}
    assert _said(few, "training", 1246) == {}


def test_few_persons_and_strange_splits():
    assert _said(_outcomes(1000, 9), "training", 1246) == {"few_persons": {"count": 9}}
    assert _said(_outcomes(30, 30), "validation", None) == {"not_training": {"split": "validation"}}


def test_batch_statistics_are_found_inside():
    model = nn.Sequential(nn.ReLU(), nn.Sequential(BatchStatisticsNorm3d(1)))
    assert "batch_statistics" in _said(_outcomes(1000, 500), "training", None, model=model)


def test_a_dissection_carries_them(known_cohort, known_grader, tmp_path):
    grader = known_grader(3)
    grader.model.add_module("norm", BatchStatisticsNorm3d(1))
    cohort = known_cohort(tmp_path / "c", 3, ("G0", "G2"))
    d = dissect(grader, cohort, DissectionPlan(learned_fractures=5)).dissection
    assert [one.key for one in d.cautions] == ["few_learned", "few_persons", "batch_statistics"]
