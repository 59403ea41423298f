import numpy as np

from fixtures.drawn_bodies import GAP_MM, block_scan, centers_of
from spinexplain.localizer.naming import STATES, NamingPrior
from spinexplain.reproduce.classical_spine import classical_centers
from spinexplain.types import Volume

PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES))


def test_bright_balls_along_a_line_are_found_and_water_is_not():
    centers = centers_of(("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4"))
    scan = block_scan(centers, 2.0, np.array([50.0, 50.0, 20.0]))
    found = classical_centers(scan, PRIOR)
    truth = np.array(list(centers.values()))
    away = np.linalg.norm(truth[:, None] - found[None], axis=2).min(axis=1)
    assert (away < 5.0).sum() >= 7
    water = Volume(np.zeros((40, 40, 60), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert len(classical_centers(water, PRIOR)) == 0


def test_a_brighter_line_in_front_of_the_spine_and_a_skull_above_do_not_draw_it_away():
    """A trunk of water with balls 70 mm from its back; a sternum of bone and a skull beside."""
    shape, step = np.array([100, 110, 150]), 2.0
    index = np.moveaxis(np.indices(shape), 0, -1) * step
    middle, back = 100.0, 20.0
    hu = np.full(shape, -1000.0)
    trunk = (np.abs(index[..., 0] - middle) < 80) & (index[..., 1] > back) & (index[..., 1] < 200)
    hu[trunk] = 30.0
    truth = np.array([[middle, back + 70.0, z] for z in np.arange(30.0, 250.0, GAP_MM)])
    away = np.min([np.linalg.norm(index - ball, axis=-1) for ball in truth], axis=0)
    hu[away < 11] = 250.0
    hu[(np.abs(index[..., 0] - middle) < 20) & (np.abs(index[..., 1] - 185) < 8)] = 700.0
    hu[np.linalg.norm(index - [middle, 110.0, 300.0], axis=-1) < 40] = 900.0
    scan = Volume(hu.astype(np.int16), np.diag([step, step, step, 1.0]))
    found = classical_centers(scan, PRIOR)
    apart = np.linalg.norm(truth[:, None] - found[None], axis=2).min(axis=1)
    assert (apart < 8.0).sum() >= len(truth) - 2
