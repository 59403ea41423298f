import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.evaluate.calibration import binned, calibration_of, reliability


def ece_oracle(labels, scores, bins):
    total = 0.0
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = [
            i
            for i in range(len(labels))
            if low < scores[i].max() <= high or (b == 0 == scores[i].max())
        ]
        if inside:
            sure = np.mean([scores[i].max() for i in inside])
            right = np.mean([scores[i].argmax() == labels[i] for i in inside])
            total += len(inside) / len(labels) * abs(sure - right)
    return total


@given(st.integers(0, 1000), st.integers(1, 60))
def test_ece_equals_its_definition(seed, n):
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(3, size=n), rng.dirichlet(np.ones(3), n)
    found = reliability(labels, scores)
    assert found.ece == pytest.approx(ece_oracle(labels, scores, 10))
    assert sum(found.counts) == n
    assert 0 <= found.ece <= 1


def test_a_sure_and_right_model_has_no_error():
    found = reliability(np.array([0, 1]), np.eye(2))
    assert found.ece == 0
    assert found.counts[-1] == 2
    assert np.isnan(found.accuracy[0])


def test_by_hand():
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    found = reliability(np.array([0, 1, 0, 0]), scores)
    assert found.ece == pytest.approx(0.5 * abs(0.9 - 0.5) + 0.5 * abs(0.6 - 1.0))


@given(st.integers(0, 1000), st.integers(2, 60))
def test_brier_is_scikit_learns_class_by_class(seed, n):
    from sklearn.metrics import brier_score_loss

    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(3, size=n), rng.dirichlet(np.ones(3), n)
    found = calibration_of(labels, scores, ["a", "b", "c"])
    for k, one in enumerate(found.classes):
        own = labels == k
        if 0 < own.sum() < n:
            assert one.brier == pytest.approx(brier_score_loss(own, scores[:, k]))
        constant = np.full(n, own.mean())
        assert one.prior_brier == pytest.approx(np.mean((constant - own) ** 2))
    assert found.brier == pytest.approx(sum(one.brier for one in found.classes))


def test_the_constant_answer_is_as_good_as_itself():
    labels = np.array([0, 0, 0, 1])
    found = calibration_of(labels, np.tile([0.75, 0.25], (4, 1)), ["a", "b"])
    assert found.brier == pytest.approx(found.prior_brier) == pytest.approx(0.375)
    assert found.prior_accuracy == 0.75
    assert found.classes[0].reliability.ece == 0


def test_what_a_score_foretells_by_hand():
    found = binned(np.array([0.15, 0.15, 0.95]), np.array([False, True, True]))
    assert found.counts[1] == 2
    assert found.accuracy[1] == 0.5
    assert found.ece == pytest.approx((2 * 0.35 + 0.05) / 3)
