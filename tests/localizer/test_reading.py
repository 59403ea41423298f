import numpy as np

from fixtures.drawn_bodies import block_scan, bright_levels, centers_of
from spinexplain.geometry import fit_curve
from spinexplain.localizer.reading import in_scan, read_spine
from spinexplain.types import Volume

CENTERS = centers_of()
POINTS = np.array(list(CENTERS.values()))


def test_the_curve_is_moved_onto_the_spine_before_the_second_pass():
    scan = block_scan(CENTERS, 2.0, np.array([60.0, 60.0, 30.0]))
    aside = fit_curve(POINTS + np.array([8.0, -6.0, 0.0]), np.array([0.0, 0, -1]))
    reading = read_spine(scan, aside, bright_levels())
    moved = reading.frame.curve
    off = np.linalg.norm(moved.at(moved.nearest(POINTS[1:-1])) - POINTS[1:-1], axis=1)
    assert off.max() < 3.0
    s = moved.nearest(POINTS[2:-2]) - reading.frame.s_center_mm
    positions = np.rint(s / 2.0 + (len(reading.inside) - 1) / 2)
    found = reading.centers_mm(positions.astype(int))
    assert np.linalg.norm(found - POINTS[2:-2], axis=1).max() < 3.0


def test_a_point_in_the_outer_half_of_a_border_voxel_is_in_the_scan():
    scan = Volume(np.zeros((4, 4, 4), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    points = np.array([[-0.9, 0, 0], [-1.1, 0, 0], [6.9, 6.9, 6.9]])
    assert in_scan(scan, points).tolist() == [True, False, True]
