import numpy as np

from spinexplain.data.phantom.grids import affine_grid, box_grid, sheet_grid, tilted_grid


def test_crop_keeps_exactly_the_points_in_reach():
    grid = box_grid(np.arange(10.0), np.arange(12.0), np.arange(9.0), 1.0)
    index = grid.crop(np.array([4.0, 5.0, 8.0]), (1.5, 2.0, 3.0))
    x, y, z = grid.at(index)
    assert x.ravel().tolist() == [3, 4, 5]
    assert y.ravel().tolist() == [3, 4, 5, 6, 7]
    assert z.ravel().tolist() == [5, 6, 7, 8]
    assert grid.crop(np.array([40.0, 5.0, 8.0]), (1.0, 1.0, 1.0)) is None


def test_a_sheet_is_cropped_by_rows_and_columns_and_keeps_its_course():
    rows, columns = np.arange(20.0, 0.0, -1.0), np.arange(15.0, 0.0, -1.0)
    grid = sheet_grid(np.sin(rows), columns, rows, 1.0)
    index = grid.crop(np.array([99.0, 7.0, 10.0]), (0.1, 1.0, 2.0))
    x, y, z = grid.at(index)
    assert z.ravel().tolist() == [12, 11, 10, 9, 8]
    assert y.ravel().tolist() == [8, 7, 6]
    assert np.allclose(x.ravel(), np.sin(z.ravel()))
    assert grid.shape == (20, 15)


def test_tilted_slices_keep_their_spacing_and_turn_about_their_middle():
    grid = tilted_grid(np.arange(3.0), np.arange(5.0), np.arange(0.0, 8.0, 2.0), 1.0, 0.3)
    points = np.stack([np.broadcast_to(v, grid.shape) for v in (grid.x, grid.y, grid.z)], -1)
    row = points[0, 1, 0] - points[0, 0, 0]
    assert np.allclose(row, [0, np.cos(0.3), np.sin(0.3)], atol=1e-6)
    assert np.allclose(points[0, 0, 1] - points[0, 0, 0], [0, 0, 2])
    assert np.allclose(points[0, 2, 1], [0, 2, 2])


def test_a_tilted_crop_holds_every_point_in_reach():
    grid = tilted_grid(np.arange(9.0), np.arange(30.0), np.arange(40.0), 1.0, -0.35)
    center, reach = np.array([4.0, 9.0, 22.0]), (2.0, 5.0, 4.0)
    index = grid.crop(center, reach)
    points = [np.broadcast_to(v, grid.shape) for v in (grid.x, grid.y, grid.z)]
    near = np.all([np.abs(p - c) <= r for p, c, r in zip(points, center, reach, strict=True)], 0)
    kept = np.zeros(grid.shape, bool)
    kept[index] = True
    assert near.any()
    assert not (near & ~kept).any()
    assert kept.sum() < 3 * near.sum()
    assert grid.at(index)[2].shape == kept[0][index[1:]][None].shape
    assert grid.crop(np.array([4.0, 90.0, 22.0]), reach) is None


def test_an_affine_grid_crops_the_voxels_around_a_point_in_any_pose():
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    turn[:3, 3] = [5, -3, 2]
    grid = affine_grid(turn @ np.diag([2.0, 1.0, 1.5, 1.0]), (12, 20, 16))
    assert grid.z.shape == (1, 1, 16)
    points = np.stack([np.broadcast_to(v, grid.shape) for v in (grid.x, grid.y, grid.z)], -1)
    center = points[5, 9, 7].astype(float)
    index = grid.crop(center, (4.0, 3.0, 2.0))
    near = (np.abs(points - center) <= [4.0, 3.0, 2.0]).all(axis=-1)
    kept = np.zeros(grid.shape, bool)
    kept[index] = True
    assert near.any()
    assert kept[near].all()
    for values, axis in zip(grid.at(index), range(3), strict=True):
        assert np.allclose(np.broadcast_to(values, kept[index].shape), points[index][..., axis])
    assert grid.crop(center + 500, (4.0, 3.0, 2.0)) is None


def test_boxes_outside_an_affine_grid_are_empty():
    grid = affine_grid(np.eye(4), (5, 5, 5))
    low, high = grid.boxes(np.array([[2.0, 2, 2], [9.0, 2, 2]]), np.full((2, 3), 1.0))
    assert low[0].tolist() == [1, 1, 1]
    assert high[0].tolist() == [4, 4, 4]
    assert high[1, 0] <= low[1, 0]
