import numpy as np
import pytest

from spinexplain.app.edited_heights import heights_of, points_to_mm, shown_heights
from spinexplain.app.reading import Points, Reading


def _moved(shown, line, end, by):
    points = [[list(place) for place in one] for one in shown.points]
    points[line][end][1] += by
    return Points.model_validate({"points": points})


def test_untouched_it_says_what_was_measured(view, lumbar):
    for item in lumbar.vertebrae:
        if item.heights is None:
            continue
        shown = shown_heights(view.levels, item.vertebra.level.value, Reading())
        assert shown.loss == pytest.approx(item.heights.loss, abs=1e-4)
        assert shown.loss_interval == pytest.approx(item.heights.loss_interval, abs=1e-4)
        assert shown.shape == item.heights.shape
        assert shown.by == "measurement"


def test_points_lie_on_the_landmarks(view, lumbar):
    shown = shown_heights(view.levels, "L3", Reading())
    landmarks = lumbar.vertebrae[3].heights.landmarks_mm
    assert np.abs(points_to_mm(view.level("L3"), shown.points) - landmarks).max() < 0.02


def test_a_point_moved_by_a_millimeter_changes_its_height_by_one(view):
    before = shown_heights(view.levels, "L2", Reading())
    drawn = _moved(before, 0, 1, -1.0)
    after = shown_heights(view.levels, "L2", Reading(heights={"L2": drawn}))
    assert before.heights_mm[0] - after.heights_mm[0] == pytest.approx(1.0, abs=0.1)
    assert after.heights_mm[1:] == before.heights_mm[1:]  # not moved, not measured anew
    assert after.by == "reader"


def test_a_crushed_front_is_a_wedge(view):
    before = shown_heights(view.levels, "L2", Reading())
    drawn = _moved(before, 0, 0, 0.4 * before.heights_mm[0])
    after = shown_heights(view.levels, "L2", Reading(heights={"L2": drawn}))
    assert after.loss > 0.3
    assert after.height_loss_class >= 2
    assert after.shape == "wedge"
    low, high = after.loss_interval
    assert low < after.loss < high


def test_a_neighbors_correction_moves_what_is_expected(view):
    alone = shown_heights(view.levels, "T12", Reading())
    drawn = _moved(shown_heights(view.levels, "L2", Reading()), 0, 0, -4.0)
    beside = shown_heights(view.levels, "T12", Reading(heights={"L2": drawn}))
    assert beside.expected_mm != alone.expected_mm


def test_norms_follow_a_shift(view):
    plain = shown_heights(view.levels, "L2", Reading())
    moved = shown_heights(view.levels, "L2", Reading(shift=1))
    assert moved.heights_mm == plain.heights_mm
    assert moved.expected_mm != plain.expected_mm


def test_without_a_mask_heights_are_set_by_hand(view):
    levels = [{**level, "heights": None} for level in view.levels]
    guess = shown_heights(levels, "L2", Reading())
    assert guess.by == "nobody"
    assert guess.loss == 0
    drawn = {
        name: Points.model_validate({"points": shown_heights(levels, name, Reading()).points})
        for name in ("L1", "L2", "L3")
    }
    shown = shown_heights(levels, "L2", Reading(heights=drawn))
    assert shown.by == "reader"
    # Three bodies as high as their norms: nothing is lost.
    assert shown.loss == pytest.approx(0, abs=0.02)


def test_heights_are_distances_in_the_patient(view):
    level = view.level("L3")
    straight = [[[40.0, 40.0], [40.0, 60.0]]] * 3
    assert heights_of(level, straight) == pytest.approx(20 * level["sheet"]["spacing_mm"], rel=0.02)
