import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.evaluate.calibration import reliability


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
