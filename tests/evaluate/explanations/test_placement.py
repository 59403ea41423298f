import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.parts import body_frame, part_regions
from spinexplain.evaluate.explanations.placement import (
    chosen_parts,
    exchanged_choices,
    mask_shares,
    neighbor_placement,
    placement,
    region_strengths,
    true_parts,
)


def bodies(count, seed):
    """Bodies of several sizes, moved and tilted."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, 40, 40), bool)
    for mask in masks:
        top, left = rng.integers(5, 15, 2)
        mask[top : top + rng.integers(6, 16), left : left + rng.integers(10, 20)] = True
    return masks


def regions_of(masks, question="endplate"):
    return np.stack([part_regions(body_frame(mask), mask.shape, question) for mask in masks])


def slow_placement(choices, truth):
    parts = range(choices.shape[1])
    recalls = []
    for part in parts:
        rows = [row for row, true in enumerate(truth) if true == part]
        recalls.append(sum(choices[row][part] for row in rows) / len(rows))
    return sum(recalls) / len(recalls)


def slow_exchanged(maps, regions, truth):
    n, k = regions.shape[:2]
    chosen = np.zeros((n, k))
    for vertebra in range(n):
        for donor in range(n):
            means = [maps[donor][regions[vertebra, part]].mean() for part in range(k)]
            best = [mean == max(means) for mean in means]
            for part in range(k):
                chosen[vertebra, part] += best[part] / sum(best) / n
    return slow_placement(chosen, truth)


def test_a_map_on_the_evidence_is_always_right():
    masks = bodies(12, 1)
    regions = regions_of(masks)
    truth = np.arange(12) % 2
    maps = regions[np.arange(12), truth].astype(float)
    assert placement(chosen_parts(region_strengths(maps, regions)), truth) == 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.integers(0, 2), min_size=6, max_size=30),
)
def test_a_map_constant_in_the_vertebra_has_exactly_chance(strengths, truth):
    truth = np.array([0, 1, 2, *truth])  # however often each part is the true one
    same = np.tile(strengths, (len(truth), 1))
    assert placement(chosen_parts(same), truth) == pytest.approx(1 / 3, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_an_image_blind_map_gains_nothing_over_its_exchange(seed):
    masks = bodies(9, seed)
    regions = regions_of(masks)
    truth = (masks.sum(axis=(1, 2)) > np.median(masks.sum(axis=(1, 2)))).astype(int)  # tied to size
    blind = np.tile(np.random.default_rng(seed).random((40, 40)), (9, 1, 1)).astype(np.float32)
    own = placement(chosen_parts(region_strengths(blind, regions)), truth)
    assert own - placement(exchanged_choices(blind, regions), truth) == pytest.approx(0, abs=1e-9)


def test_oracles_agree():
    rng = np.random.default_rng(0)
    masks = bodies(7, 3)
    regions, truth = regions_of(masks, "third"), np.array([0, 1, 2, 0, 1, 2, 0])
    maps = rng.random((7, 40, 40)).astype(np.float32)
    choices = chosen_parts(region_strengths(maps, regions))
    assert placement(choices, truth) == pytest.approx(slow_placement(choices, truth))
    slow = slow_exchanged(maps.astype(float), regions, truth)
    fast = placement(exchanged_choices(maps, regions), truth)
    assert fast == pytest.approx(slow, abs=1e-6)


def test_vertebrae_without_one_true_part_are_left_out():
    choices = np.array([[1.0, 0], [0, 1], [1, 0]])
    assert placement(choices, np.array([0, 1, -1])) == 1.0


def test_a_question_with_one_answer_alone_is_not_asked():
    assert np.isnan(placement(np.ones((3, 2)) / 2, np.zeros(3, int)))


def test_true_parts_by_hand():
    assert true_parts(np.array([[7, 3], [6.9, 3.1], [0, 5]])).tolist() == [0, -1, 1]
    regions = np.array([[[1, 1], [0, 0]], [[0, 0], [1, 1]]], bool)
    assert mask_shares(np.array([[1, 0], [1, 1]]), regions).tolist() == [1, 2]


def test_neighbors_by_hand():
    strengths = np.array([[3.0, 1], [3, 1], [3, 1], [1, 3]])
    # Always the upper one: right in the three pairs where it is, wrong in the other.
    assert neighbor_placement(strengths[:3].repeat(2, 0), [1, 0, 1, 0, 1, 0]) == 0.5
    assert neighbor_placement(strengths, [1, 1, 1, 0]) == 1.0


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match="regions must have shape"):
        region_strengths(np.zeros((2, 4)), np.zeros((2, 3, 5), bool))
    with pytest.raises(ShapeError, match="choices must have shape"):
        placement(np.zeros((2, 2)), np.zeros(3))
