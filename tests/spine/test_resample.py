import subprocess
import sys

import numpy as np
import pytest

from spinexplain.spine.resample import (
    _resample,
    _resample_by_itk,
    inside_grid,
    memory_order,
    resample_affine,
    resample_points,
)

RNG = np.random.default_rng(7)


def test_resampling_to_another_grid_and_to_points_agree():
    array = RNG.normal(size=(12, 14, 16)).astype(np.float32)
    matrix = RNG.normal(0, 0.1, (3, 3)) + np.diag([0.9, 1.1, -0.7])
    offset = np.array([1.0, -2.0, 13.0])
    shape = (11, 12, 18)
    index = np.moveaxis(np.indices(shape), 0, -1) @ matrix.T + offset
    for linear in (True, False):
        one, share = resample_affine(array, matrix, offset, shape, -9.0, linear)
        other, same = resample_points(array, index, -9.0, linear)
        np.testing.assert_allclose(one, other, atol=1e-4)
        assert share == pytest.approx(same)
        assert 0 < share < 1


def test_a_grid_ends_half_a_voxel_past_its_outermost_centers():
    axes = [np.array([-0.6, -0.5, 0.0, 2.5, 2.6])]
    assert inside_grid(axes, (3,)).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_memory_order_of_the_array_does_not_matter(order):
    array = RNG.integers(-1000, 1000, (12, 14, 16)).astype(np.int16)
    stored = np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
    assert memory_order(stored).tolist() == list(order)
    matrix, offset = np.diag([0.9, 1.1, 0.8]) + 0.05, np.array([0.3, 0.2, 0.1])
    one = resample_affine(array, matrix, offset, (8, 8, 8), 0.0)[0]
    np.testing.assert_array_equal(resample_affine(stored, matrix, offset, (8, 8, 8), 0.0)[0], one)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("straight", [True, False])
def test_small_and_straight_grids_are_sampled_as_large_oblique_ones_are(order, dtype, straight):
    """Those go by scipy, these by SimpleITK; what is asked for is the same."""
    array = (300 * RNG.normal(size=(20, 24, 18))).astype(dtype)
    stored = np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
    matrix = np.diag([1.9, 2.3, -1.7]) + (0.0 if straight else RNG.normal(0, 0.1, (3, 3)))
    offset, shape = np.array([0.2, 0.1, 17.0]), (9, 8, 10)
    one = _resample(stored, matrix, offset, shape, 0.0, True)
    other = _resample_by_itk(np.pad(stored, 1, mode="edge"), matrix, offset + 1, shape, 0.0, True)
    index = np.moveaxis(np.indices(shape), 0, -1) @ matrix.T + offset
    inside = ((index >= 0) & (index <= np.array(array.shape) - 1)).all(axis=-1)
    assert inside.sum() > 300
    np.testing.assert_allclose(one[inside], other[inside], atol=1e-3)


def test_centers_are_found_without_loading_what_only_large_grids_need():
    code = (
        "import sys, numpy as np\n"
        "from spinexplain.spine.resample import resample_affine\n"
        "resample_affine(np.zeros((9, 9, 9)), np.eye(3), np.zeros(3), (9, 9, 9), 0.0)\n"
        "import spinexplain.localizer.locate\n"
        "sys.exit('SimpleITK' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
