import numpy as np

from spinexplain.data.phantom.grids import box_grid, sheet_grid


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
