import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from spinexplain.errors import ShapeError
from spinexplain.evaluate.detection import detection_figures


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40),
    st.integers(0, 6),
)
def test_figures_are_those_of_scikit_learn_ties_included(rows, threshold):
    labels = np.array([int(label) for label, _ in rows])
    scores = np.array([score for _, score in rows], float)
    got = detection_figures(labels, scores, threshold)
    called = (scores >= threshold).astype(int)
    assert got["accuracy"] == pytest.approx(metrics.accuracy_score(labels, called))
    assert got["f1"] == pytest.approx(metrics.f1_score(labels, called, average="macro"), abs=1e-12)
    if labels.any() or called.any():
        fracture = metrics.f1_score(labels, called, zero_division=0)
        assert got["f1_fracture"] == pytest.approx(fracture, abs=1e-12)
    else:
        assert np.isnan(got["f1_fracture"])
    if 0 < labels.sum() < len(labels):
        pairs = scores[labels == 1][:, None] - scores[labels == 0]
        assert got["auc"] == pytest.approx(np.mean((pairs > 0) + (pairs == 0) / 2), abs=1e-12)
        assert got["ap"] == pytest.approx(average_precision(labels == 1, scores), abs=1e-12)
    else:
        assert np.isnan([got["auc"], got["ap"]]).all()


def average_precision(truth, scores):
    """Precision at each different score, weighted by the recall it adds."""
    total, before = 0.0, 0
    for threshold in np.unique(scores)[::-1]:
        found = np.sum(truth & (scores >= threshold))
        total += found / np.sum(scores >= threshold) * (found - before) / truth.sum()
        before = found
    return total


def test_by_hand():
    """Two of four right: one fracture found, two false alarms, one healthy one left alone."""
    got = detection_figures(np.array([1, 0, 0, 0]), np.array([0.6, 0.7, 0.1, 0.6]))
    assert got["accuracy"] == 0.5
    assert got["f1_fracture"] == pytest.approx(2 / 4)
    assert got["f1"] == pytest.approx((2 / 4 + 2 / 4) / 2)
    assert got["auc"] == pytest.approx((0 + 1 + 0.5) / 3)


def test_published_f1_can_not_be_that_of_the_fractures():
    """254 of 3920 fractured and 78.2 % right: even with every fracture found F1 is under 40 %."""
    labels = np.arange(3920) < 254
    wrong = round(0.218 * 3920)
    scores = labels | (np.arange(3920) >= 3920 - wrong)
    best = detection_figures(labels.astype(int), scores.astype(float))
    assert best["accuracy"] == pytest.approx(0.782, abs=1e-3)
    assert best["f1_fracture"] < 0.4


def test_nothing_or_unequal_numbers_are_refused():
    with pytest.raises(ShapeError, match="0 labels"):
        detection_figures(np.zeros(0, int), np.zeros(0))
    with pytest.raises(ShapeError, match="3 labels and 2 scores"):
        detection_figures(np.zeros(3, int), np.zeros(2))
