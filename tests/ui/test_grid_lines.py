import re
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.spine.heatmap import onto_sheet
from spinexplain.spine.reformat import box_frame
from spinexplain.types import Evidence
from spinexplain.ui.grid_lines import grid_lines, sheet_transform

HEAT = np.zeros((40, 40), np.float32)
HEAT[24, 9] = 1
ITEM = Evidence(
    "G2 prototype 1", "G2", HEAT, 1.0, grid=(5, 5), field_mm=20.0, stride_mm=8.0, start_mm=0.5
)


def test_squares_lie_around_the_cell_that_is_nearest_to_the_peak():
    """The peak at (24.5, 9.5) mm is nearest to the centers 0.5 + 8 x 3 and 0.5 + 8 x 1."""
    drawn = grid_lines(ITEM, (40, 40), 1.0)
    assert drawn.cell == pytest.approx((4.5, 20.5, 8, 8))
    assert drawn.field == pytest.approx((-1.5, 14.5, 20, 20))


def test_a_named_cell_is_marked_instead():
    drawn = grid_lines(ITEM, (40, 40), 1.0, cell=(0, 4))
    assert drawn.cell == pytest.approx((28.5, -3.5, 8, 8))


def test_borders_lie_half_way_between_the_centers():
    lines = grid_lines(ITEM, (40, 40), 1.0).lines
    down = [float(y) for y in re.findall(r"M0 ([\d.]+)H40", lines)]
    across = [float(x) for x in re.findall(r"M([\d.]+) 0V40", lines)]
    assert down == across == [4.5, 12.5, 20.5, 28.5]


def test_half_the_spacing_is_twice_the_samples():
    one, two = grid_lines(ITEM, (40, 40), 1.0, (1, 1)), grid_lines(ITEM, (80, 80), 0.5, (1, 1))
    assert two.cell == pytest.approx(tuple(2 * value for value in one.cell))


def test_of_a_box_the_first_two_axes_count():
    heat = np.zeros((40, 40, 40), np.float32)
    heat[24, 9, 33] = 1
    item = replace(ITEM, heatmap=heat, grid=(5, 5, 5))
    assert grid_lines(item, (40, 40), 1.0).cell == pytest.approx((4.5, 20.5, 8, 8))


@pytest.mark.parametrize("gap", [{"grid": ()}, {"field_mm": None}, {"start_mm": None}])
def test_an_unknown_grid_is_not_drawn(gap):
    assert grid_lines(replace(ITEM, **gap), (40, 40), 1.0) is None


def test_the_grid_of_the_shown_sheet_needs_no_transform(lumbar):
    patch = lumbar.vertebrae[1].patch
    assert sheet_transform(patch, patch) == ""


def test_a_scaled_sheet_s_grid_lies_on_the_shown_one_about_the_same_middle(lumbar):
    """80 samples of 0.7 mm span 56 mm: on a sheet of 112 mm from 28 to 84."""
    shown = lumbar.vertebrae[1].patch
    frame = replace(shown.frame, shape=(80, 80), spacing_mm=0.7)
    own = replace(shown, frame=frame, array=np.zeros((80, 80), np.float32))
    numbers = [float(x) for x in sheet_transform(own, shown)[len("matrix(") : -1].split()]
    assert numbers == pytest.approx([0.7, 0, 0, 0.7, 28, 28], abs=0.02)


def test_a_box_s_grid_lies_on_the_sheet_where_its_map_is_drawn(lumbar):
    """A bright sample of a box, mapped as its heat map is, lies where the transform says."""
    shown = lumbar.vertebrae[1].patch
    vertebrae = [item.vertebra for item in lumbar.vertebrae]
    frame = box_frame(vertebrae, shown.vertebra, (64, 64, 64), 1.0)
    heat = np.zeros((64, 64, 64), np.float32)
    heat[40:43, 20:23, 28:36] = 1
    box = replace(shown, frame=frame, array=np.zeros((64, 64, 64), np.float32))
    drawn = onto_sheet(box, shown)(heat)
    rows, columns = np.nonzero(drawn > 0.5)
    a, b, c, d, e, f = (float(x) for x in sheet_transform(box, shown)[7:-1].split())
    x, y = 21.5, 41.5
    assert columns.mean() + 0.5 == pytest.approx(a * x + c * y + e, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(b * x + d * y + f, abs=1)
