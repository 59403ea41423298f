import numpy as np
import pytest

from spinexplain.localizer.ridge import find_ridge, unbroken

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


def test_a_ridge_does_not_leap_aside_over_nothing_to_another_bone():
    """Below the spine nothing is seen; a hip bone lies 60 mm beside, 24 mm farther down."""
    map_ = tube(low=25)
    map_[27:30, 12:16, 2:19] = 1.0
    ridge = find_ridge(map_, AFFINE)
    assert ridge is not None
    assert (ridge.support > 0.5).all()
    points = ridge.curve.at(np.linspace(0, ridge.curve.length_mm, 40)) / 4
    assert np.abs(points[:, 0] - 14.0).max() < 1.5
    assert points[:, 2].min() > 22


@pytest.mark.parametrize(
    ("aside", "expected"), [(0, slice(0, 9)), (2, slice(0, 9)), (5, slice(0, 4))]
)
def test_a_path_over_nothing_may_go_on_straight_but_not_aside(aside, expected):
    """Two planes of nine are not held: four, then the two, then three beside."""
    x = np.array([9, 9, 9, 9, 9, 9, 9 - aside, 9 - aside, 9 - aside])
    path = np.column_stack([x, np.full(9, 9), np.arange(9)[::-1]])
    support = np.array([0.9, 0.9, 0.9, 0.9, 0.0, 0.0, 0.8, 0.8, 0.8])
    assert unbroken(path, support) == expected


def test_a_steep_spine_is_not_cut_at_a_single_plane_that_the_map_misses():
    x = np.array([0, 2, 4, 6, 8, 10, 12, 14])
    path = np.column_stack([x, np.full(8, 9), np.arange(8)[::-1]])
    support = np.array([0.9, 0.9, 0.9, 0.2, 0.9, 0.9, 0.9, 0.9])
    assert unbroken(path, support) == slice(0, 8)
    support[4] = 0.0
    assert unbroken(path, support) == slice(0, 3)
