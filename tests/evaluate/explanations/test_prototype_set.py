import numpy as np
import pytest

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.prototype_set import (
    consistency,
    coverage,
    distinct_parts,
    effective_field,
    purity,
    stability,
    usual_part,
)


def test_usual_part_by_hand():
    assert usual_part(np.array([4, 4, 4, 1])) == (4, 0.75)
    part, share = usual_part(np.array([], int))
    assert part == -1
    assert np.isnan(share)


def test_a_prototype_outside_the_body_is_not_consistent():
    parts = np.array([[-1, 2]] * 10)
    assert consistency(parts) == 0.5


def test_consistency_is_judged_on_the_own_class():
    parts = np.array([[3, -2]] * 4 + [[-2, 5]] * 4 + [[-2, 0]])
    assert consistency(parts) == 1.0  # 4 of 4, and 4 of 5
    assert consistency(parts, at_least=0.9) == 0.5


def test_stability_by_hand():
    before = np.array([[0, 1], [0, -2]])
    assert stability(before, np.array([[0, 1], [3, 3]])) == pytest.approx(2 / 3)
    assert np.isnan(stability(np.full((2, 2), -2), before))
    with pytest.raises(ShapeError, match="one shape"):
        stability(before, before[:1])


def test_purity_looks_at_the_most_similar():
    parts = np.array([[0], [0], [1], [2]])
    similarities = np.array([[4.0], [3], [2], [1]])
    assert purity(parts, similarities, top=2).tolist() == [1.0]
    assert purity(parts, similarities, top=4).tolist() == [0.5]


def test_distinct_parts_leaves_the_outside_out():
    assert distinct_parts([0, 0, 1, -1], [0, 0, 1, 1]) == {0: 1, 1: 1}


def test_a_shape_is_covered_by_one_prototype_alone():
    hits = np.array([[1, 0], [0, 1], [0, 1], [0, 1]])
    groups = np.array(["wedge", "wedge", "crush", "crush"])
    assert coverage(hits, groups) == 1.0
    assert coverage(hits, groups, at_least=0.6) == 0.5
    assert np.isnan(coverage(np.zeros((0, 2)), np.array([])))


@pytest.mark.parametrize(("half", "side"), [(0, 1), (2, 5), (4, 9)])
def test_a_box_of_influence_has_its_side(half, side):
    influence = np.zeros((11, 11))
    influence[5 - half : 6 + half, 5 - half : 6 + half] = 1
    assert effective_field(influence, share=1.0) == side
    assert effective_field(np.zeros((3, 3))) == 0
