"""Tests on paper: small cases by hand, and every sign pattern gone through."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ShapeError
from spinexplain.evaluate.significance import corrected_t_test, mcnemar, wilcoxon


def signed_rank_oracle(difference):
    """p one-sided by going through all signs of the ranks."""
    sizes = np.abs(difference)
    ranks = [np.mean([2 * np.sum(sizes < a) + np.sum(sizes == a) + 1]) / 2 for a in sizes]
    seen = sum(r for r, d in zip(ranks, difference, strict=True) if d > 0)
    sums = [
        sum(r for r, s in zip(ranks, signs, strict=True) if s)
        for signs in product((0, 1), repeat=len(ranks))
    ]
    return np.mean([s >= seen - 1e-9 for s in sums])


@given(st.lists(st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]), min_size=3, max_size=8))
def test_wilcoxon_is_exact_with_and_without_ties(difference):
    difference = np.array(difference)
    result = wilcoxon(difference, np.zeros(len(difference)))
    assert result.p_one_sided == pytest.approx(signed_rank_oracle(difference))


def test_five_folds_never_reach_two_sided_significance():
    """The paper's 0.031 and 0.094 are one-sided; its 0.031 is the floor."""
    result = wilcoxon(np.array([5.0, 4, 3, 2, 1]), np.zeros(5))
    assert (result.p_one_sided, result.p_two_sided) == (0.03125, 0.0625)
    assert result.floor_two_sided == 0.0625
    assert "0.0625" in result.note
    assert "0.0312" in result.note


def test_folds_without_a_difference_raise_the_floor():
    result = wilcoxon(np.array([5.0, 4, 3, 2, 0]), np.zeros(5))
    assert result.floor_one_sided == 1 / 16


def test_two_folds_are_not_tested():
    result = wilcoxon(np.array([1.0, 2]), np.zeros(2))
    assert np.isnan(result.p_two_sided)
    assert "not computed: 2 folds" in result.note


def test_the_corrected_t_test_by_hand():
    difference = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    variance = np.sum((difference - 0.2) ** 2) / 4
    t = 0.2 / np.sqrt(variance * (1 / 5 + 1 / 4))
    result = corrected_t_test(difference, np.zeros(5))
    assert f"t = {t:.2f}, 4 degrees" in result.note
    # Student's t with 4 degrees of freedom in closed form.
    x = t / np.sqrt(4 + t**2)
    assert result.p_one_sided == pytest.approx(0.5 - 0.25 * x * (3 - x**2), rel=1e-9)
    assert result.p_two_sided == pytest.approx(2 * result.p_one_sided)


def test_the_corrected_t_test_is_less_sure_than_the_plain_one():
    from scipy.stats import ttest_rel

    first, second = np.array([0.7, 0.75, 0.72, 0.8, 0.71]), np.full(5, 0.7)
    assert corrected_t_test(first, second).p_two_sided > ttest_rel(first, second).pvalue


@pytest.mark.parametrize("difference", [[0.1, 0.2], [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]])
def test_the_corrected_t_test_says_when_it_can_not(difference):
    result = corrected_t_test(np.array(difference), np.zeros(len(difference)))
    assert np.isnan(result.p_two_sided)
    assert result.note.startswith("not computed")


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5))
def test_mcnemar_sums_binomials(better, worse, both):
    first = np.array([True] * better + [False] * worse + [True] * both)
    second = np.array([False] * better + [True] * worse + [True] * both)
    result, n = mcnemar(first, second), better + worse
    if n < 6:
        assert np.isnan(result.p_two_sided)
        assert f"not computed: {n}" in result.note
    else:
        assert result.p_one_sided == pytest.approx(
            sum(comb(n, k) for k in range(better, n + 1)) / 2**n
        )
        extreme = sum(comb(n, k) for k in range(max(better, worse), n + 1)) / 2**n
        assert result.p_two_sided == pytest.approx(min(1, 2 * extreme))


def test_unpaired_inputs_are_refused():
    with pytest.raises(ShapeError, match="same vertebrae"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(ShapeError, match="same folds"):
        wilcoxon(np.ones(3), np.ones(4))


def test_a_fold_without_a_figure_is_refused():
    with pytest.raises(ShapeError, match="class absent"):
        corrected_t_test(np.array([1.0, np.nan, 2.0]), np.zeros(3))
