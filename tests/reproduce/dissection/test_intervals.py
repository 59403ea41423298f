import numpy as np
import pytest

from spinexplain.reproduce.dissection.evidence import Units
from spinexplain.reproduce.dissection.intervals import (
    between,
    cliffs_delta,
    draws,
    effect,
    spread,
    top_difference,
)


def units_of(share, seed=0, subjects=20):
    rng = np.random.default_rng(seed)
    n = 2 * subjects
    positive = np.arange(n) % 2 == 0
    mask = np.where(positive[:, None], 100.0, 0.0) * np.ones((1, 12))
    enabled = rng.random((n, 12)) < np.where(positive[:, None], 0.7, 0.3)
    return Units(
        enabled=enabled,
        ranked=np.ones(12, bool),
        positive=positive,
        subjects=np.arange(n) // 2,
        inside=mask * share * rng.uniform(0.8, 1.2, (n, 12)),
        mask=mask,
        evidence=positive * 50.0,
        crop=positive * 1000.0,
    )


def test_deltas_of_the_ends():
    low, high = np.arange(5.0), np.arange(10.0, 15.0)
    assert (cliffs_delta(high, low), cliffs_delta(low, high)) == (1.0, -1.0)
    assert cliffs_delta(low, low) == 0.0


def test_quartiles_by_hand():
    assert spread(np.arange(5.0)) == {"mean": 2.0, "median": 2.0, "low": 1.0, "high": 3.0}


def test_an_interval_holds_most_draws():
    found = between(list(np.arange(1001.0)), 500.0)
    assert (found["mean"], found["low"], found["high"]) == (500.0, 25.0, 975.0)


def test_whole_subjects_are_drawn():
    units = units_of(0.1)
    for times in draws(units, count=5):
        assert np.array_equal(times[::2], times[1::2])
        assert times.sum() == len(times)


@pytest.mark.parametrize("top", [False, True])
def test_units_on_the_evidence_are_told_from_others(top):
    found = effect(units_of(0.2), [units_of(0.02, seed) for seed in (1, 2)], "share", top)
    assert found["mean"] == found["low"] == 1.0
    assert abs(top_difference(units_of(0.1))["mean"]) < 0.05
