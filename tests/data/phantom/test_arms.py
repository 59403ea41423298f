import numpy as np

from spinexplain.data.phantom.arms import draw_arms, paint_arms, trunk_edge_mm
from spinexplain.data.phantom.canvas import blank_canvas
from spinexplain.data.phantom.grids import box_grid

ARMS = draw_arms(np.random.default_rng(0), 50.0, -90.0)
TRUNK = (120.0, 70.0)


def painted(half_width):
    x = np.arange(-half_width, half_width + 1.0, 3.0)
    grid = box_grid(x, np.arange(-80.0, 121.0, 3.0), np.arange(0.0, 30.0, 3.0), 3.0)
    canvas = blank_canvas(np.random.default_rng(0), grid, -1000.0)
    paint_arms(canvas, ARMS, (grid.x, grid.y), TRUNK)
    return canvas


def test_two_arms_with_bone_lie_beside_the_trunk():
    canvas = painted(330.0)
    x = np.broadcast_to(canvas.grid.x, canvas.hu.shape)
    edge = float(trunk_edge_mm(ARMS.front_mm, *TRUNK))
    for side in (x < 0, x > 0):
        assert np.abs(x[side & (canvas.hu > -300)]).min() > edge - 3
        assert (canvas.hu[side] > 600).any()
        assert (np.abs(canvas.hu[side] - ARMS.fat_hu) < 10).any()


def test_a_field_of_view_on_the_spine_shows_no_arms():
    assert (painted(75.0).hu == -1000.0).all()
