from itertools import combinations

import numpy as np
import pytest

from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.statistics import (
    Outcomes,
    auc,
    permutation_p,
    rank_interval,
    ranks,
    unit_statistics,
)


def _outcomes(positive, called=None, subjects=None):
    positive = np.array(positive, bool)
    called = positive if called is None else np.array(called, bool)
    subjects = np.arange(len(positive)).astype(str) if subjects is None else np.array(subjects)
    return Outcomes(positive, called, subjects)


def test_equation_one_and_its_contrast_by_hand():
    outcomes = _outcomes([1, 1, 1, 1, 0, 0], called=[1, 1, 1, 0, 1, 0])
    # unit 0 in every fracture and in half of the healthy; unit 1 in found ones only
    peaks = np.array([[2, 2], [2, 2], [2, 2], [2, 0], [2, 0], [0, 0]], float)
    means = peaks / 2
    found = unit_statistics(peaks, means, np.ones(2), np.ones(2, bool), outcomes)
    assert found.c_positive.tolist() == [1, 0.75]
    assert found.c_true_positive.tolist() == [1, 1]
    assert found.c_negative.tolist() == [0.5, 0]
    assert found.contrast.tolist() == [0.5, 0.75]
    assert found.rank.tolist() == [2, 1]
    assert found.rank_eq1.tolist() == [1, 2]
    assert found.true_positive.tolist() == [1, 1]
    assert found.false_positive.tolist() == [1, 0]
    assert found.false_negative.tolist() == [0, -1]
    assert outcomes.counts["false_negatives"] == 1


def test_a_threshold_that_is_only_reached_does_not_enable():
    outcomes = _outcomes([1, 0])
    ones = np.ones((2, 1))
    assert unit_statistics(ones, ones, np.ones(1), np.ones(1, bool), outcomes).c_positive[0] == 0


def test_groups_without_members_are_unknown_not_zero():
    outcomes = _outcomes([1, 0])
    found = unit_statistics(np.eye(2), np.eye(2), np.zeros(2), np.ones(2, bool), outcomes)
    assert np.isnan(found.false_positive).all()
    assert np.isnan(found.false_negative).all()


def test_auc_counts_pairs():
    rng = np.random.default_rng(0)
    values, positive = rng.integers(0, 4, (15, 3)), rng.random(15) < 0.5
    for unit in range(3):
        pairs = [
            1.0 if p > n else 0.5 if p == n else 0.0
            for p in values[positive, unit]
            for n in values[~positive, unit]
        ]
        assert auc(values, positive)[unit] == pytest.approx(np.mean(pairs))


def test_auc_of_one_group_is_unknown():
    assert np.isnan(auc(np.zeros((3, 2)), np.ones(3, bool))).tolist() == [True, True]
    assert auc(np.zeros((3, 0)), np.array([True, False, True])).shape == (0,)


def test_permutation_p_counts_relabelings():
    enabled = np.array([1, 1, 1, 0, 1, 0, 0], bool)
    positive = np.array([1, 1, 1, 0, 0, 0, 0], bool)
    hits = [enabled[list(chosen)].sum() for chosen in combinations(range(7), 3)]
    seen = enabled[positive].sum()
    tails = np.mean(np.array(hits) >= seen), np.mean(np.array(hits) <= seen)
    expected = min(2 * min(tails), 1)
    assert permutation_p(enabled[:, None], positive)[0] == pytest.approx(expected)


def test_noise_is_seldom_called_significant_and_signal_is():
    rng = np.random.default_rng(3)
    positive = rng.random(200) < 0.4
    peaks = rng.normal(size=(200, 100))
    peaks[positive, :5] += 2
    found = unit_statistics(
        peaks, peaks, np.full(100, 1.0), np.ones(100, bool), _outcomes(positive)
    )
    assert (found.q[:5] < 0.05).all()
    assert (found.q[5:] < 0.05).sum() <= 3
    assert set(found.rank[:5]) == {1, 2, 3, 4, 5}
    assert (found.rank_low[:5] >= 1).all()
    assert (found.rank_high[:5] <= 10).all()
    assert (found.rank_low <= found.rank_high).all()
    assert found.rank_high[50] - found.rank_low[50] > 20


def test_units_set_aside_get_no_rank_and_no_p():
    outcomes = _outcomes([1, 1, 0, 0])
    peaks = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], float)
    ranked = np.array([True, False])
    found = unit_statistics(peaks, peaks, np.zeros(2), ranked, outcomes)
    assert found.rank.tolist() == [1, 0]
    assert (found.p[1], found.q[1], found.rank_high[1]) == (1, 1, 0)
    assert found.q[0] == found.p[0]


def test_no_unit_at_all_is_not_an_error():
    outcomes = _outcomes([1, 0])
    found = unit_statistics(
        np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2), np.zeros(2, bool), outcomes
    )
    assert found.rank.tolist() == [0, 0]


def test_rank_interval_resamples_subjects_and_repeats_itself():
    rng = np.random.default_rng(0)
    positive = np.tile([True, False], 20)
    enabled = rng.random((40, 6)) < 0.5
    outcomes = _outcomes(positive, subjects=np.repeat(np.arange(20), 2).astype(str))
    first = rank_interval(enabled, np.ones(6, bool), outcomes, seed=1, draws=250)
    again = rank_interval(enabled, np.ones(6, bool), outcomes, seed=1, draws=250)
    np.testing.assert_array_equal(first, again)
    # One subject holds all: every draw is the cohort itself, and the interval its ties.
    alone = _outcomes(positive, subjects=["one"] * 40)
    low, high = rank_interval(enabled, np.ones(6, bool), alone, seed=1, draws=20)
    contrast = np.round(enabled[positive].mean(0) - enabled[~positive].mean(0), 6)
    assert low.tolist() == [1 + (contrast > own).sum() for own in contrast]
    assert high.tolist() == [(contrast >= own).sum() for own in contrast]


def test_units_that_tie_may_have_any_of_their_ranks():
    outcomes = _outcomes([1, 1, 0, 0], subjects=["one"] * 4)
    tied, better = np.array([1, 0, 0, 0]), np.array([1, 1, 0, 0])
    peaks = np.stack([tied, better, tied, tied], axis=1).astype(float)
    found = unit_statistics(peaks, peaks, np.zeros(4), np.ones(4, bool), outcomes)
    assert found.rank.tolist() == [2, 1, 3, 4]
    assert found.rank_low.tolist() == [2, 1, 2, 2]
    assert found.rank_high.tolist() == [4, 1, 4, 4]


def test_ranks_break_ties_by_the_second_value():
    everyone = np.ones(3, bool)
    assert ranks(np.ones(3), everyone, np.array([0.2, 0.9, 0.5])).tolist() == [3, 1, 2]


@pytest.mark.parametrize(("positive", "missing"), [([0, 0], "fractured"), ([1, 1], "healthy")])
def test_one_kind_alone_can_not_be_dissected(positive, missing):
    with pytest.raises(ConfigError, match=f"no {missing} vertebra"):
        _outcomes(positive)
