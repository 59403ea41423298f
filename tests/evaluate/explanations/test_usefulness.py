import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.evaluate.explanations.usefulness import equally_convincing, error_auc


def slow_auc(scores, labels):
    pairs = [(a, b) for a in scores[labels] for b in scores[~labels]]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def test_it_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    doubt, wrong = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.3
    found = error_auc(doubt, wrong, np.arange(60).astype(str), seed=0, draws=200)
    assert found.value == pytest.approx(slow_auc(doubt, wrong))
    assert found.low < found.value < found.high


def test_it_is_scikit_learns_on_every_draw():
    rng = np.random.default_rng(1)
    doubt, wrong = rng.integers(0, 9, 50).astype(float), rng.random(50) < 0.4
    subjects = rng.integers(0, 20, 50).astype(str)
    found = error_auc(doubt, wrong, subjects, seed=2, draws=100)
    slow = subject_bootstrap(
        lambda rows: roc_auc_score(wrong[rows], doubt[rows]), subjects, seed=2, draws=100
    )
    assert (found.value, found.low, found.high) == pytest.approx((slow.value, slow.low, slow.high))


def test_without_errors_there_is_nothing_to_foretell():
    found = error_auc(np.ones(20), np.zeros(20, bool), np.arange(20).astype(str), 0, 50)
    assert np.isnan(found.value)


def test_convincing_by_hand():
    assert equally_convincing(np.array([1.0, 3, 4]), np.array([2.0, 3, 9])) == pytest.approx(2 / 3)
    assert np.isnan(equally_convincing(np.array([]), np.array([1.0])))
    assert np.isnan(equally_convincing(np.array([1.0]), np.array([])))
