import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.ui.cell_maps import without_ringing
from spinexplain.ui.contours import level_contour, region_level

FIELD = ReceptiveField(size=75, stride=8, start=0.0)


def splined(cells):
    """Upsample cells as a heat map is: eight samples a cell, by a cubic spline."""
    return upsample_map(cells, tuple(8 * n for n in cells.shape), FIELD)


def repainted(cells):
    return without_ringing(splined(cells), cells.shape, FIELD.start + 0.5, FIELD.stride)


def islands(heatmap):
    return level_contour(heatmap, region_level(heatmap, "percentile98")).count("M")


def peak_on_a_floor():
    """A peak of 4 with neighbors of about 0.06 on a floor of about 0.01."""
    rng = np.random.default_rng(0)
    cells = rng.uniform(0, 0.02, (14, 14))
    cells[5:8, 6:9] = rng.uniform(0.04, 0.08, (3, 3))
    cells[6, 7] = 4.0
    return cells


def test_a_steep_peak_has_one_region_of_two_percent():
    """The spline's own ripples make islands: a test of the map before, too."""
    cells = peak_on_a_floor()
    assert islands(splined(cells)) > 1
    steady = repainted(cells)
    assert islands(steady) == 1
    inside = steady >= region_level(steady, "percentile98")
    assert inside.sum() == pytest.approx(0.02 * inside.size, rel=0.02)


def test_two_peaks_stay_two():
    cells = np.zeros((14, 14))
    cells[3, 3] = cells[9, 9] = 4.0
    assert islands(repainted(cells)) == 2


@given(arrays(float, (5, 6), elements=st.integers(0, 9).map(float)))
def test_no_value_is_beyond_the_cells_around_it(cells):
    steady = repainted(cells)
    np.testing.assert_allclose(steady[::8, ::8], cells, atol=1e-4)
    corners = np.stack([cells[:-1, :-1], cells[1:, :-1], cells[:-1, 1:], cells[1:, 1:]])
    low, high = (np.kron(f(axis=0), np.ones((8, 8))) for f in (corners.min, corners.max))
    between = steady[: 8 * 4, : 8 * 5]
    assert (between >= low - 1e-4).all()
    assert (between <= high + 1e-4).all()


def test_a_box_is_painted_along_every_axis():
    cells = np.zeros((4, 5, 6))
    cells[2, 2, 3] = 1.0
    steady = repainted(cells)
    assert np.unravel_index(int(steady.argmax()), steady.shape) == (16, 16, 24)
    assert steady[:8].max() < 1e-6
    assert steady[..., :16].max() < 1e-6


def test_cells_outside_the_patch_are_passed_over():
    """Trunks that pad put the first center before the patch; one cell alone tells nothing."""
    heatmap = np.linspace(0, 1, 24, dtype=np.float32)
    steady = without_ringing(heatmap, [4], start=-3.5, step=8.0)
    np.testing.assert_allclose(steady[4:21], heatmap[4:21], atol=1e-6)
    np.testing.assert_array_equal(without_ringing(heatmap, [1], 0.5, 8.0), heatmap)
