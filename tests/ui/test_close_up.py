import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.ui.close_up import LEAST_MM, evidence_box, needed_mm, window


def test_a_small_region_is_shown_in_the_least_square_around_it():
    """A box of 10 x 10 samples about (60, 50): 64 mm are 32 samples either way."""
    box = (slice(55, 65), slice(45, 55))
    assert needed_mm(box, 1.0) == LEAST_MM
    assert window(box, (112, 112), 1.0, 64.0) == (18.0, 28.0, 64.0, 64.0)


def test_a_long_region_is_shown_whole_with_a_margin():
    box = (slice(0, 112), slice(10, 20))
    assert needed_mm(box, 0.7) == pytest.approx(112 * 0.7 + 16)


def test_the_box_follows_the_outline_of_the_map():
    heatmap = np.zeros((40, 40))
    heatmap[10:22, 5:8] = 1
    heatmap[30, 30] = 1e-3  # outside of four fifths of the mass
    assert evidence_box(heatmap, "contours") == (slice(10, 22), slice(5, 8))
    assert evidence_box(heatmap, "percentile98") == (slice(10, 22), slice(5, 8))


@pytest.mark.parametrize("region", ["contours", "percentile98", "mass98"])
def test_a_flat_map_has_no_box_and_shows_the_middle(region):
    assert evidence_box(np.zeros((20, 20)), region) is None


@given(
    start=st.integers(0, 90),
    length=st.integers(1, 22),
    spacing=st.floats(0.4, 2),
    side=st.floats(8, 400),
)
def test_the_window_lies_in_the_picture_and_is_square_where_it_fits(start, length, spacing, side):
    box = (slice(start, start + length), slice(0, length))
    left, top, width, height = window(box, (112, 112), spacing, side)
    assert width == height <= 112
    assert -0.06 <= left <= 112 - width + 0.11
    assert -0.06 <= top <= 112 - height + 0.11
