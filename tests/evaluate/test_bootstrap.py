import numpy as np
import pytest

from spinexplain.errors import ShapeError
from spinexplain.evaluate.bootstrap import (
    paired_difference,
    subject_bootstrap,
    subject_draws,
    weighted_bootstrap,
)


def mean_of(values):
    return lambda rows: float(values[rows].mean())


def test_whole_subjects_are_drawn():
    subjects = np.array(["b", "a", "b", "c", "a"])
    for rows in subject_draws(subjects, seed=3, draws=50):
        counts = np.bincount(rows, minlength=5)
        assert counts[0] == counts[2]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3


def test_the_interval_has_the_width_that_theory_gives():
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    found = subject_bootstrap(mean_of(values), np.arange(400).astype(str), seed=0)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert found.low < found.value < found.high


def test_vertebrae_of_one_subject_widen_it():
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(size=40), 10)
    alone = subject_bootstrap(mean_of(values), np.arange(400).astype(str), seed=0)
    together = subject_bootstrap(mean_of(values), np.repeat(np.arange(40), 10).astype(str), seed=0)
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


def test_same_seed_same_interval():
    values, subjects = np.arange(30.0), np.arange(30).astype(str)
    one, two, three = (subject_bootstrap(mean_of(values), subjects, s) for s in (5, 5, 6))
    assert one == two != three


def test_a_paired_difference_is_narrower_than_its_parts():
    rng = np.random.default_rng(2)
    easy = rng.normal(size=200)
    first, second = easy + 0.1, easy
    subjects = np.arange(200).astype(str)
    found = paired_difference(mean_of(first), mean_of(second), subjects, seed=0)
    assert (found.low, found.value, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_few_subjects_get_no_interval_and_are_told_so():
    found = subject_bootstrap(mean_of(np.arange(9.0)), np.arange(9).astype(str), 0)
    assert found.value == 4
    assert np.isnan(found.low)
    assert "9 subjects" in found.note


def test_a_figure_that_mostly_fails_gets_no_interval():
    def figure(rows):
        return float(len(rows)) if len(set(rows.tolist())) == 12 else float("nan")

    found = subject_bootstrap(figure, np.arange(12).astype(str), 0, draws=100)
    assert "too rare" in found.note


def test_no_rows_are_refused():
    with pytest.raises(ShapeError):
        subject_bootstrap(mean_of(np.zeros(0)), np.zeros(0, str), 0)


def test_weights_give_the_same_draws_as_rows():
    rng = np.random.default_rng(3)
    values, subjects = rng.random(60), rng.integers(0, 15, 60).astype(str)
    by_rows = subject_bootstrap(lambda rows: values[rows].mean(), subjects, 5, 300)
    by_weights = weighted_bootstrap(lambda w: w @ values / w.sum(axis=1), subjects, 5, 300)
    assert by_weights.low == pytest.approx(by_rows.low)
    assert by_weights.high == pytest.approx(by_rows.high)
    few = weighted_bootstrap(lambda w: w @ values[:5], subjects[:5].astype("U3"), 0, 10)
    assert np.isnan(few.low)
    assert "subjects" in few.note
    with pytest.raises(ShapeError, match="needs rows"):
        weighted_bootstrap(lambda w: w.sum(axis=1), np.array([]), 0)
