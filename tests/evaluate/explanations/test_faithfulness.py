from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.faithfulness import (
    blurred,
    curve_area,
    deleted,
    inserted,
    local_mean,
    side_fractions,
    step_masks,
)


def slow_curve(image, reference, heatmap, model, steps):
    """Take samples away one after another, highest first, and score at every step."""
    work, scores = image.astype(float).copy(), []
    order = sorted(range(image.size), key=lambda k: -heatmap.ravel()[k])
    for step in range(steps + 1):
        for k in order[: round((step / steps) ** 2 * image.size)]:
            work.ravel()[k] = reference.ravel()[k]
        scores.append(model(work))
    return sum((a + b) / 2 for a, b in pairwise(scores)) / steps


def test_the_deletion_curve_is_that_of_the_slow_way():
    rng = np.random.default_rng(0)
    image, heatmap = rng.normal(size=(9, 9)), rng.permutation(81).reshape(9, 9)
    weights, reference = rng.normal(size=(9, 9)), np.zeros((9, 9))
    masks = step_masks(heatmap, side_fractions(6, 2))
    scores = (deleted(image, reference, masks) * weights).sum(axis=(1, 2))
    slow = slow_curve(image, reference, heatmap, lambda x: (x * weights).sum(), 6)
    assert curve_area(scores) == pytest.approx(slow)


def test_by_hand_the_true_map_deletes_fastest():
    """The model counts the bright samples of the upper half: showing that half is faithful."""
    image = np.ones((4, 4))
    true_map, wrong_map = np.repeat([3.0, 3, 1, 1], 4).reshape(4, 4), np.repeat([1.0, 1, 3, 3], 4)
    fractions = np.array([0, 0.5, 1])
    found = []
    for heatmap in (true_map, wrong_map.reshape(4, 4)):
        shown = deleted(image, np.zeros((4, 4)), step_masks(heatmap, fractions))
        found.append(curve_area(shown[:, :2].mean(axis=(1, 2))))
    assert found == [0.25, 0.75]


@settings(max_examples=40, deadline=None)
@given(arrays(float, (5, 6), elements=st.integers(0, 3)), st.integers(1, 9))
def test_masks_are_nested_and_take_the_highest(heatmap, steps):
    fractions = side_fractions(steps, 2)
    masks = step_masks(heatmap, fractions)
    assert not masks[0].any()
    assert masks[-1].all()
    for small, large in pairwise(masks):
        assert not (small & ~large).any()
    for mask, fraction in zip(masks, fractions, strict=True):
        assert mask.sum() == np.rint(fraction * 30)
        if mask.any() and not mask.all():
            assert heatmap[mask].min() >= heatmap[~mask].max()


def test_equal_values_are_ordered_by_the_seed():
    flat = np.zeros((8, 8))
    half = np.array([0.5])
    assert np.array_equal(step_masks(flat, half, 1), step_masks(flat, half, 1))
    assert not np.array_equal(step_masks(flat, half, 1), step_masks(flat, half, 2))


def test_insertion_is_deletion_seen_from_the_reference():
    rng = np.random.default_rng(1)
    image, reference = rng.random((2, 6, 6))
    masks = step_masks(rng.random((6, 6)), side_fractions(4, 2))
    assert np.array_equal(inserted(image, reference, masks), deleted(reference, image, masks))
    assert np.array_equal(inserted(image, reference, masks)[-1], image)


@pytest.mark.parametrize("reference", [blurred, local_mean])
def test_references_keep_a_flat_image_and_lose_detail(reference):
    assert np.allclose(reference(np.full((40, 40), 77.0)), 77)
    grain = np.random.default_rng(0).normal(0, 100, (60, 60))
    assert reference(grain).std() < 12


def test_a_curve_has_two_ends():
    with pytest.raises(ShapeError, match="two steps"):
        curve_area(np.array([1.0]))
