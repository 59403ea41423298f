import numpy as np
import pytest

from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.reproduce.dissection import intervals, overlap
from spinexplain.reproduce.dissection.evidence import units_of
from spinexplain.reproduce.dissection.overlap import counts, tied, tightened, trained_network
from toy_dissection import UNITS, toy_grader, write_toy_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_toy_cohort(tmp_path_factory.mktemp("toy") / "c")


def test_a_tighter_threshold_needs_no_second_pass(cohort):
    grader = toy_grader()
    samples = select_samples(cohort, grader.spec, grader.task)
    _, loose, _ = units_of(grader, samples, "layers", 0.90)
    _, tight, _ = units_of(grader, samples, "layers", 0.97)
    found = tightened(loose, 0.97)
    np.testing.assert_allclose(found.tails.thresholds, tight.tails.thresholds)
    np.testing.assert_allclose(found.tails.mass, tight.tails.mass)
    assert np.array_equal(np.sort(found.tails.values), np.sort(tight.tails.values))


def test_the_toy_networks_units_are_compared(cohort, monkeypatch, listener):
    monkeypatch.setattr(overlap, "NETWORKS", 1)
    monkeypatch.setattr(intervals, "DRAWS", 5)
    monkeypatch.setattr(overlap, "use_of_units", lambda *case: {})  # needs more than ten units
    found = trained_network(toy_grader(), cohort, "layers", listener)
    assert found["units"] == len(UNITS)
    assert found["counts"] == {"subjects": 12, "samples": 24, "positives": 16}
    share = found["against_random"]["values"]["trained"]
    assert share[UNITS.index("bright")] > 0.4
    assert found["auc"] == 1.0
    assert listener.steps == [("Untrained networks", 1, 1)]
    grader = toy_grader()
    samples = select_samples(cohort, grader.spec, grader.task)
    assert counts(samples)["samples"] == 24
    assert tied(units_of(grader, samples, "layers", 0.95)[0]) >= 1
