import numpy as np
import pytest

from fixtures.localizers import ellipsoid
from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.segment import paint_bodies
from spinexplain.reproduce.bodies import body_rows, dice, known_localization, moved_center
from spinexplain.types import Vertebra, Volume

LEVELS = [VertebraLevel(name) for name in ("L1", "L2", "L3")]
SPINE = [Vertebra(level, (60.0, 60.0, 130.0 - 36.0 * i)) for i, level in enumerate(LEVELS)]


@pytest.fixture(scope="module")
def painted():
    scan = Volume(np.zeros((60, 60, 90), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    return paint_bodies(scan, SPINE, ellipsoid)


def test_a_mask_against_itself_overlaps_wholly_and_loses_the_same(painted):
    rows = body_rows("one", SPINE, painted.labels, painted, {LEVELS[1]: 0.1})
    assert [row.level for row in rows] == ["L1", "L2", "L3"]
    assert [row.dice for row in rows] == [1.0, 1.0, 1.0]
    assert all(0.4 < row.dice_box < 0.9 for row in rows)
    assert [row.loss_true for row in rows] == [None, 0.1, None]
    for row in rows:
        assert row.loss_given == pytest.approx(row.loss_painted)
        low, high = row.interval_painted
        assert low < row.loss_painted < high
        assert row.doubt == ""


def test_overlap_by_hand():
    one, other = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    one[0], other[0, :2] = True, True
    assert dice(one, other) == pytest.approx(4 / 6)
    assert dice(one, ~one) == 0.0


def test_centers_move_by_millimeters_and_alike_for_a_seed():
    first, again = (moved_center(SPINE[0], np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert 0.1 < np.linalg.norm(np.subtract(first.centroid_mm, SPINE[0].centroid_mm)) < 12


def test_what_is_known_is_certain():
    known = known_localization(SPINE)
    assert known.certain
    assert [vertebra.level for vertebra in known.vertebrae()] == LEVELS
