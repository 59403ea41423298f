import dataclasses

import numpy as np
import pytest

from spinexplain.data.crops.dataset import (
    class_labels,
    class_shares,
    joined,
    split_validation,
    with_classes,
)
from spinexplain.errors import ConfigError, ShapeError

CLASSES = ("G0", "G2", "G3")


def test_validation_is_split_by_subject_and_stratified(toy_set):
    data = toy_set(n=240)
    training, validation = split_validation(data, 0.1, seed=0)
    assert not set(training.subjects) & set(validation.subjects)
    assert len(training) + len(validation) == len(data)
    assert len(set(validation.subjects)) == pytest.approx(12, abs=1)
    assert set(validation.grades) == {0, 2, 3}


def test_split_is_a_function_of_the_seed(toy_set):
    data = toy_set()
    same = [split_validation(data, 0.2, seed=4)[1].subjects.tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert split_validation(data, 0.2, seed=5)[1].subjects.tolist() != same[0]


def test_one_subject_can_not_be_split(toy_set):
    data = toy_set(n=2)
    with pytest.raises(ConfigError, match="1 subject"):
        split_validation(data, 0.1, seed=0)


def test_a_tiny_cohort_still_gets_a_validation_subject(toy_set):
    training, validation = split_validation(toy_set(n=4), 0.1, seed=0)
    assert len(set(validation.subjects)) == 1
    assert len(training)


def test_grades_that_are_no_class_are_dropped(toy_set):
    data = toy_set()
    data.grades[5] = 1
    used = with_classes(data, CLASSES, 3)
    assert len(used) == len(data) - 1
    assert np.all(class_labels(used, CLASSES) >= 0)
    np.testing.assert_array_equal(used.patches_hu[5], data.patches_hu[6])


def test_an_empty_or_small_class_is_named(toy_set):
    data = toy_set()
    data.grades[data.grades == 3] = 2
    with pytest.raises(ConfigError, match="class G3 has 0 training crops; expected at least 3"):
        with_classes(data, CLASSES, 3)


def test_rows_must_agree(toy_set):
    data = toy_set()
    with pytest.raises(ShapeError, match="grades has 3 rows; expected 60"):
        type(data)(**{**vars(data), "grades": data.grades[:3]})
    with pytest.raises(ShapeError, match="target must have the shape"):
        type(data)(**{**vars(data), "target": data.target[:, :5]})


def test_joined_sets_follow_one_another_and_keep_what_all_of_them_have(toy_set):
    one, two = toy_set(n=4, seed=0), toy_set(n=6, seed=1)
    two = type(two)(**{**vars(two), "target": None})
    both = joined([one, two])
    assert len(both) == 10
    np.testing.assert_array_equal(both.patches_hu[4:], two.patches_hu)
    np.testing.assert_array_equal(both.grades[:4], one.grades)
    assert both.target is None
    assert both.synthetic


def rated(toy_set, ratings):
    return dataclasses.replace(toy_set(n=6), ratings=np.array(ratings, np.int8))


def test_shares_of_raters_by_hand(toy_set):
    """Toy grades are G0, G2, G3 in turn; G1 is no class here."""
    votes = [[0, 0, 2], [2, 3, 1], [3, -1, -1], [1, 1, 1], [-1, -1, -1], [3, 3, 2]]
    shares = class_shares(rated(toy_set, votes), CLASSES)
    third = 1 / 3
    np.testing.assert_allclose(
        shares,
        [
            [2 * third, third, 0],
            [0, 0.5, 0.5],  # one rater saw G1
            [0, 0, 1],
            [1, 0, 0],  # nobody saw a class: the grade itself, G0
            [0, 1, 0],  # nobody graded: G2
            [0, third, 2 * third],
        ],
    )


def test_without_raters_shares_are_the_labels(toy_set):
    data = toy_set(n=6)
    labels = class_labels(data, CLASSES)
    np.testing.assert_array_equal(class_shares(data, CLASSES), np.eye(3)[labels])


def test_joined_sets_may_have_different_numbers_of_raters(toy_set):
    one, two, none = rated(toy_set, [[1]] * 6), rated(toy_set, [[2, 3]] * 6), toy_set(n=6)
    both = joined([one, none, two]).ratings
    assert both[[0, 6, 12]].tolist() == [[1, -1], [-1, -1], [2, 3]]
    assert joined([none, none]).ratings is None
