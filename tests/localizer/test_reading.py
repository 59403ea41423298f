import numpy as np

from fixtures.drawn_bodies import block_scan, bright_levels, centers_of
from spinexplain.geometry import fit_curve
from spinexplain.localizer.centers import AlongSpine
from spinexplain.localizer.reading import SpineReading, in_scan, levels_both_ways, read_spine
from spinexplain.models.localizing import LEVEL_CLASSES, LEVELS
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


def test_levels_are_read_in_the_mirror_image_too():
    """A network that calls a position T5 where the left half is bright, and T6 where it is not."""

    def network(densities):
        answer = np.zeros((1, LEVELS.stop, densities.shape[2]), np.float32)
        left = densities[0, 0, :, :, 30:].mean(axis=(1, 2))
        for name, logit in (("T5", 6.0 * left), ("T6", 6.0 * (1.0 - left))):
            answer[0, LEVELS.start + LEVEL_CLASSES.index(name)] = logit
        return answer

    densities = np.zeros((16, 56, 60), np.float32)
    densities[:, :, 30:] = 1.0
    levels = np.zeros((16, len(LEVEL_CLASSES)))
    levels[:, LEVEL_CLASSES.index("T5")] = 1.0
    seen = AlongSpine(np.zeros(16), np.zeros(16), np.zeros((16, 3)), levels)
    reading = SpineReading(None, seen, np.ones(16, bool), densities)
    both = levels_both_ways(reading, network)
    assert np.allclose(both.sum(axis=1), 1.0)
    at = [LEVEL_CLASSES.index(name) for name in ("T5", "T6")]
    assert both[0, at[0]] > 0.9  # nothing speaks for T6 in the section itself
    seen.levels[:] = 1.0 / len(LEVEL_CLASSES)
    assert levels_both_ways(reading, network)[0].argmax() == at[1]
