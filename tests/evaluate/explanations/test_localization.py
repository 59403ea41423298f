import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.localization import (
    METRICS,
    energy_inside,
    matched_iou,
    pointing_game,
    precision_recall_area,
    top_share,
)

MAP = np.array([[[0.0, 1, 2], [3, 4, 5], [6, 7, 8]]])
CORNER = np.zeros((1, 3, 3), bool)
CORNER[0, 2, 1:] = True  # where the map has 7 and 8


def test_by_hand():
    assert pointing_game(MAP, CORNER).tolist() == [1.0]
    assert energy_inside(MAP, CORNER) == pytest.approx(15 / 36)
    assert top_share(MAP, CORNER, share=3 / 9) == pytest.approx(2 / 3)
    assert matched_iou(MAP, CORNER).tolist() == [1.0]
    assert matched_iou(-MAP, CORNER).tolist() == [0.0]
    assert precision_recall_area(MAP, CORNER).tolist() == [1.0]
    # Worst first: the two samples are found at ranks 8 and 9.
    assert precision_recall_area(-MAP, CORNER) == pytest.approx((1 / 8 + 2 / 9) / 2)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_uniform_map_scores_the_masks_share(value):
    share = 2 / 9
    for name, metric in METRICS.items():
        found = float(metric(np.full((1, 3, 3), value), CORNER)[0])
        expected = share / (2 - share) if name == "matched_iou" else share
        assert found == pytest.approx(expected), name


def slow_top(values, mask, count, draws=400):
    """Mean over random orders of equal values."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        order = np.lexsort((rng.random(len(values)), -values))
        found.append(mask[order[:count]].sum() / count)
    return np.mean(found)


def test_equal_values_count_as_if_their_order_were_drawn():
    values = np.array([[3.0, 3, 3, 2, 2, 1, 1, 1]])
    mask = np.array([[1, 0, 0, 1, 0, 1, 1, 1]], bool)
    for count in range(1, 8):
        expected = slow_top(values[0], mask[0], count)
        assert top_share(values, mask, count / 8)[0] == pytest.approx(expected, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int64, (3, 24), elements=st.integers(0, 6)),
    arrays(bool, (3, 24)),
)
def test_average_precision_is_scikit_learns(values, masks):
    masks[:, 0] = True
    found = precision_recall_area(values.astype(float), masks)
    for row in range(3):
        assert found[row] == pytest.approx(average_precision_score(masks[row], values[row]))


@settings(max_examples=60, deadline=None)
@given(
    arrays(float, (2, 16), elements=st.floats(0, 100, width=16)),
    arrays(bool, (2, 16)),
    st.floats(0.1, 10),
)
def test_all_are_shares_and_do_not_depend_on_the_maps_scale(values, masks, scale):
    masks[:, 3] = True
    for metric in METRICS.values():
        found = metric(values, masks)
        assert np.all((found >= -1e-12) & (found <= 1 + 1e-12))
        assert np.allclose(found, metric(values * scale * 2**10, masks), atol=1e-9)


def test_an_empty_mask_has_no_overlap_to_speak_of():
    empty = np.zeros((1, 3, 3), bool)
    assert pointing_game(MAP, empty).tolist() == [0.0]
    assert np.isnan(matched_iou(MAP, empty)).all()
    assert np.isnan(precision_recall_area(MAP, empty)).all()


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match=r"shape \(n, \*S\)"):
        energy_inside(MAP, CORNER[:, :2])
    with pytest.raises(ShapeError, match="finite"):
        energy_inside(np.full((1, 3, 3), np.nan), CORNER)
