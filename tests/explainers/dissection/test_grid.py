import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from spinexplain.explainers.dissection.grid import CellGrid, cell_grid
from spinexplain.models.receptive import ReceptiveField


@pytest.mark.parametrize("axes", [2, 3])
@given(seed=st.integers(0, 1000), side=st.integers(8, 20), start=st.floats(-1, 3))
def test_spread_is_linear_interpolation(axes, seed, side, start):
    values = np.random.default_rng(seed).normal(size=(3,) * axes)
    grid = CellGrid(values.shape, side, start, 4.0)
    at = (np.arange(side) - start) / 4.0
    index = np.stack(np.meshgrid(*[at] * axes, indexing="ij"))
    expected = map_coordinates(values, index, order=1, mode="nearest")
    np.testing.assert_allclose(grid.spread(values), expected, atol=1e-5)


def test_average_counts_the_nearest_samples():
    grid = CellGrid((3, 3), 10, 1.0, 3.5)
    mask = np.random.default_rng(0).random((10, 10)) < 0.4
    nearest = [np.abs(np.arange(3) * 3.5 + 1.0 - i).argmin() for i in range(10)]
    expected, counts = np.zeros((3, 3)), np.zeros((3, 3))
    for r in range(10):
        for c in range(10):
            expected[nearest[r], nearest[c]] += mask[r, c]
            counts[nearest[r], nearest[c]] += 1
    np.testing.assert_allclose(grid.average(mask[None])[0], expected / counts, atol=1e-6)
    np.testing.assert_array_equal(grid.samples(), counts)


def test_a_plane_of_the_spread_map():
    values = np.random.default_rng(1).random((2, 3, 4)).astype(np.float32)
    grid = CellGrid((2, 3, 4), 12, 1.0, 3.0)
    flat = CellGrid((2, 3), 12, 1.0, 3.0)
    plane = flat.spread(values @ grid.plane(2, 7))
    np.testing.assert_allclose(plane, grid.spread(values)[..., 7], rtol=1e-5)


def test_cells_lie_at_the_centres_of_their_fields():
    # input pixel 2x as fine as the crop: cell 0 sees pixel 7.5, which is crop sample 3.5
    grid = cell_grid((4, 4), 32, 64, ReceptiveField(15, 16, 7.5))
    assert (grid.start, grid.step) == (3.5, 8.0)
    assert cell_grid((4, 4), 32, 64).start == 3.5
