import numpy as np
import pytest

from spinexplain.reproduce.mask_heights import RIM, third_heights, third_loss


def a_wedge() -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    for column in range(20):
        mask[: 20 - column // 2, column] = True
    return mask


def test_the_front_of_a_wedge_is_lowest():
    inner = [20 - column // 2 for column in range(int(20 * RIM), 20 - int(20 * RIM))]
    thirds = [np.mean(part) for part in np.array_split(inner, 3)]
    assert third_heights(a_wedge()).tolist() == pytest.approx(thirds)
    assert third_loss(third_heights(a_wedge())) == pytest.approx(1 - thirds[2] / thirds[0])


def test_rounded_rims_are_no_loss():
    mask = np.ones((20, 40), bool)
    mask[:8, :5] = mask[:8, -5:] = False
    assert third_loss(third_heights(mask)) == 0.0


def test_a_crushed_body_is_low_beside_its_neighbors_alone():
    crushed = third_heights(np.ones((12, 30), bool))
    assert third_loss(crushed) == 0.0
    assert third_loss(crushed, tallest=16.0) == pytest.approx(0.25)


def test_a_body_that_is_hardly_there_has_no_height():
    assert third_heights(np.zeros((9, 9))).tolist() == [0.0, 0.0, 0.0]
    assert third_loss(np.zeros(3)) == 0.0
    assert third_loss(np.zeros(3), tallest=10.0) == 1.0
