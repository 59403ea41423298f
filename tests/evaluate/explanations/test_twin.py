import numpy as np
import pytest

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.twin import change_inside, falls, relative_fall, twin_auc


def test_by_hand():
    with_fracture, without = np.array([4.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert falls(with_fracture, without) == pytest.approx(0.5)
    assert relative_fall(with_fracture, without) == pytest.approx(1 - 6 / 8)
    # 4 beats all three; each 2 beats 1 and ties with 2.
    assert twin_auc(with_fracture, without) == pytest.approx((3 + 1.5 + 1.5) / 9)


def test_an_image_blind_map_does_not_fall():
    same = np.ones(5)
    assert falls(same, same) == 0.5
    assert relative_fall(same, same) == 0
    assert twin_auc(same, same) == 0.5


def test_no_pairs_no_figure():
    nothing = np.zeros(0)
    assert np.isnan(relative_fall(nothing, nothing))
    assert np.isnan(twin_auc(nothing, nothing))


def test_where_a_map_changes():
    mask = np.array([[[1, 1], [0, 0]]], bool)
    before, after = np.array([[[5.0, 3], [2, 2]]]), np.array([[[1.0, 3], [2, 1]]])
    assert change_inside(before, after, mask) == pytest.approx(4 / 5)
    assert change_inside(before, before, mask) == pytest.approx(0.5)


def test_pairs_belong_together():
    with pytest.raises(ShapeError, match="one shape"):
        falls(np.zeros(3), np.zeros(2))
