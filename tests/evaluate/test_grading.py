"""Every figure against a slow oracle, written from its definition with loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.errors import ShapeError
from spinexplain.evaluate.grading import (
    class_average_accuracy,
    class_average_f1,
    confusion_matrix,
    grading_figures,
    positive_classes,
    scan_positives,
)

TASK = TASKS["g0-g2-g3"]


@st.composite
def graded(draw, classes=3):
    n = draw(st.integers(4, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = rng.dirichlet(np.ones(classes), n).round(2)
    return rng.integers(classes, size=n), scores


def auc_oracle(own, score):
    """Share of (own, other) pairs in the right order, ties half."""
    pairs = [
        1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0
        for i in np.flatnonzero(own)
        for j in np.flatnonzero(~own)
    ]
    return np.mean(pairs)


def ap_oracle(own, score):
    """Sum over thresholds of precision x gained recall."""
    total, previous = 0.0, 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        called = score >= threshold
        recall = np.sum(called & own) / own.sum()
        total += np.sum(called & own) / called.sum() * (recall - previous)
        previous = recall
    return total


def kappa_oracle(labels, predicted, classes):
    """1 - observed / expected squared distance."""
    observed = np.mean([(a - b) ** 2 for a, b in zip(labels, predicted, strict=True)])
    expected = np.mean([(a - b) ** 2 for a in labels for b in predicted])
    return 1 - observed / expected


@given(graded())
def test_figures_equal_their_definitions(case):
    labels, scores = case
    figures = grading_figures(labels, scores, TASK)
    predicted = scores.argmax(axis=1)
    f1s = []
    for k, found in enumerate(figures.classes):
        own, called = labels == k, predicted == k
        hits = np.sum(own & called)
        if own.any():
            assert found.recall == pytest.approx(hits / own.sum())
        else:
            assert np.isnan(found.recall)
        if called.any():
            assert found.precision == pytest.approx(hits / called.sum())
        if own.any() and not own.all():
            assert found.specificity == pytest.approx(np.mean(~called[~own]))
            assert found.auc == pytest.approx(auc_oracle(own, scores[:, k]))
            assert found.ap == pytest.approx(ap_oracle(own, scores[:, k]))
        if own.any() or called.any():
            f1s.append(2 * hits / (own.sum() + called.sum()))
    recalls = [np.mean(predicted[labels == k] == k) for k in np.unique(labels)]
    assert figures.class_average_accuracy == pytest.approx(np.mean(recalls))
    assert figures.class_average_f1 == pytest.approx(np.mean(f1s))
    assert figures.sample_accuracy == pytest.approx(np.mean(labels == predicted))
    if len(set(labels) | set(predicted)) > 1:
        assert figures.quadratic_kappa == pytest.approx(kappa_oracle(labels, predicted, 3))
    assert np.sum(figures.confusion) == len(labels)


@given(graded(classes=4))
def test_averages_are_those_of_scikit_learn(case):
    labels, scores = case
    predicted = scores.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, 4)
    f1 = metrics.f1_score(labels, predicted, average="macro")
    assert class_average_f1(confusion) == pytest.approx(f1, abs=1e-12)
    recall = metrics.recall_score(labels, predicted, labels=np.unique(labels), average="macro")
    assert class_average_accuracy(confusion) == pytest.approx(recall, abs=1e-12)
    expected = metrics.confusion_matrix(labels, predicted, labels=range(4))
    np.testing.assert_array_equal(confusion, expected)


def published(healthy, g2, g3):
    """Predictions with the counts of right ones that table 1 of ProtoVerse prints."""
    labels = np.repeat([0, 1, 2], [326, 18, 14])
    right = np.concatenate([np.arange(n) < k for n, k in ((326, healthy), (18, g2), (14, g3))])
    return labels, np.eye(3)[np.where(right, labels, (labels + 1) % 3)]


@pytest.mark.parametrize(
    ("counts", "class_average", "sample"),
    [((287, 13, 8), 72.46, 86.03), ((282, 4, 12), 64.81, 83.24), ((301, 13, 9), 76.28, 90.22)],
)
def test_accuracies_reproduce_the_paper_from_its_counts(counts, class_average, sample):
    figures = grading_figures(*published(*counts), TASK)
    # The paper rounds the class accuracies first.
    assert 100 * figures.class_average_accuracy == pytest.approx(class_average, abs=0.02)
    assert 100 * figures.sample_accuracy == pytest.approx(sample, abs=0.006)


def test_an_absent_class_is_not_averaged_as_zero():
    scores = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    figures = grading_figures(np.array([0, 1]), scores, TASK)
    assert figures.class_average_accuracy == figures.class_average_f1 == 1
    assert np.isnan(figures.classes[2].auc)


def test_one_class_only_has_no_kappa():
    figures = grading_figures(np.zeros(3, int), np.tile([0.8, 0.1, 0.1], (3, 1)), TASK)
    assert np.isnan(figures.quadratic_kappa)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (np.zeros(0, int), np.zeros((0, 3))),
        (np.array([0, 3]), np.full((2, 3), 0.3)),
        (np.array([0, -1]), np.full((2, 3), 0.3)),
        (np.array([0]), np.full((1, 3), np.nan)),
        (np.array([0]), np.full((2, 3), 0.3)),
    ],
)
def test_what_can_not_be_judged_is_refused(labels, scores):
    with pytest.raises(ShapeError):
        grading_figures(labels, scores, TASK)


def test_a_scan_is_positive_by_its_worst_vertebra():
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    truth, score = scan_positives(np.array([0, 2, 0]), scores, np.array(["b", "b", "a"]), [1, 2])
    assert truth.tolist() == [False, True]
    assert score == pytest.approx([0.4, 0.8])


def test_mild_grades_make_no_scan_positive():
    assert positive_classes(TASKS["g0-g1-g2-g3"]) == (2, 3)
    assert positive_classes(TASKS["fracture"]) == (1,)
    assert positive_classes(derived_task(("fracture", "no fracture"))) == (0,)
    labels = np.array([1])
    truth, score = scan_positives(labels, np.array([[0.1, 0.6, 0.2, 0.1]]), np.array(["a"]), [2, 3])
    assert not truth[0]
    assert score[0] == pytest.approx(0.3)


@given(graded())
def test_the_order_of_the_logits_changes_no_figure(case):
    labels, scores = case
    shuffled = derived_task(("G3", "G0", "G2"))
    place = np.array([shuffled.classes.index(name) for name in TASK.classes])
    there = np.empty_like(scores)
    there[:, place] = scores
    # A tie goes to the first class, which is another one in another order.
    scores += np.arange(3) * 1e-6
    there[:, place] += np.arange(3) * 1e-6
    one, other = (
        grading_figures(labels, scores, TASK),
        grading_figures(place[labels], there, shuffled),
    )
    assert other.quadratic_kappa == pytest.approx(one.quadratic_kappa, nan_ok=True)
    assert other.class_average_f1 == pytest.approx(one.class_average_f1)
