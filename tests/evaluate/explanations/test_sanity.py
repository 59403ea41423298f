import numpy as np
import pytest
from scipy.stats import spearmanr

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.sanity import is_flagged, rank_similarity


def test_it_is_spearmans():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, (2, 6, 4, 5)).astype(float)
    expected = [spearmanr(a.ravel(), b.ravel())[0] for a, b in zip(first, second, strict=True)]
    assert np.allclose(rank_similarity(first, second), expected)


def test_by_hand():
    maps = np.array([[1.0, 2, 3, 4]])
    assert rank_similarity(maps, maps**3).tolist() == [1.0]
    assert rank_similarity(maps, -maps).tolist() == [-1.0]
    assert rank_similarity(maps, np.ones((1, 4))).tolist() == [0.0]
    assert rank_similarity(np.ones((1, 4)), np.zeros((1, 4))).tolist() == [1.0]


def test_a_map_that_stays_is_flagged():
    assert is_flagged(np.array([0.2]))
    assert not is_flagged(np.array([-0.9, 0.1]))


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match="one shape"):
        rank_similarity(np.zeros((1, 3)), np.zeros((1, 4)))
