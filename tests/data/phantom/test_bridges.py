from itertools import pairwise

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.bridges import Bridge, draw_bridges, paint_bridges
from spinexplain.data.phantom.canvas import blank_canvas
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import level_index, stack


def test_bridges_join_at_least_four_levels_in_a_row():
    lengths = []
    for seed in range(60):
        bridges = draw_bridges(np.random.default_rng(seed), 1.0, LEVEL_NAMES)
        for bridge, following in pairwise(bridges):
            assert bridge.lower == following.upper
        lengths.append(len(bridges) + 1)
    assert min(lengths) >= 4
    assert max(lengths) > 5
    assert draw_bridges(np.random.default_rng(0), 0.0, LEVEL_NAMES) == ()


def test_bone_crosses_the_disc_in_front_and_belongs_to_no_body():
    subject = draw_subject(np.random.default_rng(2), load_preset("demo"), {})
    places = stack(subject.bodies, subject.posture, True)
    k = level_index("T8")
    disc = (places[k].center + places[k + 1].center) / 2
    line = np.arange(-32.0, 33.0, 1.0)
    grid = box_grid(disc[0] + line, disc[1] + line, disc[2] + line, 1.0)
    canvas = blank_canvas(np.random.default_rng(0), grid, 40.0)
    before = canvas.hu.copy()
    paint_bridges(canvas, (Bridge("T8", "T9", 6.0, 10.0, 5.0),), subject.bodies, places)
    changed = np.argwhere(canvas.hu - before > 80)
    in_front = changed[:, 1] + line[0] - subject.bodies[k].depth / 2
    assert -6 < np.median(in_front) < 6
    assert (changed[:, 2] == len(line) // 2).any()  # at the middle of the disc
    assert set(np.unique(canvas.label)) == {0, subject.bodies[k].code, subject.bodies[k + 1].code}
    assert not canvas.body.any()
