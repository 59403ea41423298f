from dataclasses import replace

import numpy as np
import pytest

from spinexplain.ui.height_lines import bare_corner, ghost_outline, height_lines


@pytest.fixture
def drawn(lumbar):
    item = lumbar.vertebrae[1]
    return item, height_lines(item.heights, item.patch.frame)


def test_anterior_is_on_the_viewers_left_and_cranial_on_top(drawn):
    _, lines = drawn
    assert [line.name for line in lines] == ["anterior", "middle", "posterior"]
    assert lines[0].cranial[0] < lines[1].cranial[0] < lines[2].cranial[0]
    assert all(line.cranial[1] < line.caudal[1] for line in lines)


def test_the_drawn_length_is_the_measured_height(drawn):
    item, lines = drawn
    for line in lines:
        length = np.hypot(*np.subtract(line.caudal, line.cranial)) * item.patch.frame.spacing_mm
        assert length == pytest.approx(line.measured_mm, abs=0.3)


def test_the_ghost_has_the_expected_height_about_the_same_middle(drawn):
    _, lines = drawn
    for line in lines:
        ghost = np.hypot(*np.subtract(line.expected_caudal, line.expected_cranial))
        own = np.hypot(*np.subtract(line.caudal, line.cranial))
        assert ghost / own == pytest.approx(line.expected_mm / line.measured_mm)
        np.testing.assert_allclose(
            np.add(line.cranial, line.caudal), np.add(line.expected_cranial, line.expected_caudal)
        )


def test_a_landmark_at_a_sample_is_drawn_at_its_center(drawn, lumbar):
    item, _ = drawn
    frame = item.patch.frame
    at = frame.to_mm(np.array([[[40.0, 30], [60, 30]], [[40, 50], [60, 50]], [[40, 70], [60, 70]]]))
    lines = height_lines(replace(item.heights, landmarks_mm=at), frame)
    np.testing.assert_allclose(lines[0].cranial, (30.5, 40.5), atol=0.02)
    np.testing.assert_allclose(lines[2].caudal, (70.5, 60.5), atol=0.02)


def test_a_body_without_height_is_drawn_without_dividing_by_it(drawn):
    item, _ = drawn
    flat = replace(item.heights, anterior_mm=0.0)
    line = height_lines(flat, item.patch.frame)[0]
    assert line.expected_cranial == pytest.approx(line.cranial)


def test_the_ghost_runs_along_the_cranial_ends_and_back(drawn):
    _, lines = drawn
    outline = ghost_outline(lines)
    assert outline.startswith("M")
    assert outline.endswith("Z")
    assert outline.count("L") == 5


def test_millimeters_stand_where_there_is_least_bone(lumbar):
    for item in lumbar.vertebrae:
        array = item.patch.array
        corner = bare_corner(array)
        rows = slice(-25, None) if "bottom" in corner else slice(None, 25)
        columns = slice(None, 30) if "left" in corner else slice(-30, None)
        assert (array[rows, columns] > 200).mean() < 0.05
