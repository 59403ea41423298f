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
