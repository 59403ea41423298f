import numpy as np
import pytest

from spinexplain.localizer.ridge import find_ridge

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def tube(shape=(30, 30, 60), low=5, high=55, bend=6.0):
    """A tube of 12 mm radius that bends forward, and where its middle is at each plane."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).astype(float)
    z = grid[..., 2]
    middle = np.stack([np.full(z.shape, 14.0), 14.0 + bend * np.sin(z / 18.0)], -1)
    inside = np.linalg.norm(grid[..., :2] - middle, axis=-1) < 3.0
    return inside * (z >= low) * (z <= high) * 1.0


def test_the_ridge_follows_a_bent_tube_from_head_to_foot():
    ridge = find_ridge(tube(), AFFINE)
    assert ridge is not None
    points = ridge.curve.at(np.linspace(0, ridge.curve.length_mm, 40))
    z = points[:, 2] / 4
    assert z[0] > 53
    assert z[-1] < 7
    off = np.hypot(points[:, 0] / 4 - 14.0, points[:, 1] / 4 - 14.0 - 6.0 * np.sin(z / 18.0))
    assert np.median(off) * 4 < 2.5
    assert off[3:-3].max() * 4 < 6.0


def test_a_gap_of_three_planes_is_bridged():
    map_ = tube()
    map_[:, :, 28:31] = 0.0
    ridge = find_ridge(map_, AFFINE)
    assert ridge is not None
    assert ridge.curve.length_mm > 180


def test_the_longer_of_two_parts_is_the_spine():
    map_ = tube(low=30, high=55)
    map_[3:5, 3:5, 2:10] = 1.0
    ridge = find_ridge(map_, AFFINE)
    assert ridge is not None
    assert ridge.curve.at(0.0)[0] == pytest.approx(56.0, abs=4.0)


@pytest.mark.parametrize("map_", [np.zeros((20, 20, 20)), tube(low=20, high=23)])
def test_no_ridge_where_nothing_is_long_enough(map_):
    assert find_ridge(map_, AFFINE) is None
