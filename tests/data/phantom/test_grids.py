import numpy as np

from spinexplain.data.phantom.grids import box_grid, sheet_grid, tilted_grid


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
