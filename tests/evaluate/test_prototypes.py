import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ShapeError
from spinexplain.evaluate.prototypes import (
    cosine_matrix,
    same_class_cosine,
    usage,
    winner_share,
)


def test_cosine_by_hand():
    """(3, 4) and (4, 3): 24 / 25. Around (3, 3) they are at right angles."""
    vectors = np.array([[3.0, 4.0], [4.0, 3.0], [-3.0, -4.0]])
    matrix = cosine_matrix(vectors)
    assert matrix[0, 1] == pytest.approx(0.96)
    assert matrix[0, 2] == pytest.approx(-1)
    assert cosine_matrix(vectors[:2], np.array([3.0, 3.0]))[0, 1] == pytest.approx(0)


def test_a_sigmoid_space_makes_everything_alike_until_it_is_centered():
    vectors = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((6, 64))
    raw, centered = cosine_matrix(vectors), cosine_matrix(vectors, vectors.mean(axis=0))
    other = ~np.eye(6, dtype=bool)
    assert raw[other].min() > 0.99
    assert centered[other].max() < 0.2


def test_a_vector_at_the_center_is_like_nothing_but_itself():
    matrix = cosine_matrix(np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([1.0, 1.0]))
    assert matrix.tolist() == [[1, 0], [0, 1]]


@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_cosine_as_the_loops_say(p, d, seed):
    vectors = np.random.default_rng(seed).standard_normal((p, d))
    matrix = cosine_matrix(vectors)
    for i in range(p):
        for j in range(p):
            length = np.sqrt(np.sum(vectors[i] ** 2) * np.sum(vectors[j] ** 2))
            assert matrix[i, j] == pytest.approx(np.sum(vectors[i] * vectors[j]) / length)


def test_pairs_of_one_class_count_once():
    matrix = np.array([[1, 0.2, 0.4, 9], [0.2, 1, 0.6, 9], [0.4, 0.6, 1, 9], [9, 9, 9, 1]])
    assert same_class_cosine(matrix, np.array([0, 0, 0, 1])) == pytest.approx(0.4)
    assert np.isnan(same_class_cosine(matrix, np.arange(4)))


def test_winner_share_by_hand():
    """Class 0 has three crops, won 2 : 1; class 1 has one, won by its only prototype."""
    similarities = np.array([[5, 1, 9], [5, 1, 9], [1, 5, 9], [9, 9, 0]])
    shares = winner_share(similarities, np.array([0, 0, 0, 1]), np.array([0, 0, 1]))
    assert shares.tolist() == pytest.approx([2 / 3, 1 / 3, 1])


def test_winner_share_of_a_class_without_crops_is_not_a_number():
    shares = winner_share(np.ones((1, 2)), np.array([0]), np.array([0, 1]))
    assert shares[0] == 1
    assert np.isnan(shares[1])


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_winner_shares_of_a_class_sum_to_one(n, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    shares = winner_share(rng.random((n, 5)), labels, np.array([0, 0, 1, 1, 1]))
    for k, members in ((0, slice(0, 2)), (1, slice(2, 5))):
        if np.any(labels == k):
            assert np.sum(shares[members]) == pytest.approx(1)


def test_usage_by_hand():
    """Both crops are given class 0: contributions 3 : 1 and 0 : 2, and nothing from class 1's."""
    similarities = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 0.0]])
    connections = np.array([[1.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    shares = usage(similarities, connections, np.array([0, 0, 1]))
    assert shares[:2].tolist() == pytest.approx([0.375, 0.625])
    assert np.isnan(shares[2])


def test_a_prototype_against_its_own_class_is_not_used():
    shares = usage(np.array([[2.0, 1.0]]), np.array([[1.0, -1.0], [-9.0, -9.0]]), np.array([0, 0]))
    assert shares.tolist() == [1, 0]


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match="center"):
        cosine_matrix(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ShapeError, match="similarities"):
        winner_share(np.ones((2, 3)), np.zeros(2, int), np.zeros(2, int))
