import re
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.types import Evidence
from spinexplain.ui.grid_lines import grid_lines

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
