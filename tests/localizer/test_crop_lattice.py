import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import BoxFrame, box_axes
from spinexplain.localizer.crop_lattice import ROUNDS, STEP_MM, on_lattice, painted_at_rest
from spinexplain.types import Vertebra, Volume

LEVELS = [VertebraLevel.L1, VertebraLevel.L2]
SCAN = Volume(np.zeros((80, 80, 120), np.int16), np.eye(4))


def frame(center_mm, tangent):
    return BoxFrame(np.array(center_mm, float), box_axes(np.array(tangent)), (4, 4, 4), 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_crop_moves_by_half_a_step_and_turns_by_a_few_degrees_at_most(seed):
    rng = np.random.default_rng(seed)
    tangent = np.r_[rng.normal(0, 0.3, 2), -1.0]
    given = frame(rng.uniform(-300, 300, 3), tangent / np.linalg.norm(tangent))
    near = on_lattice(given)
    assert np.abs(near.center_mm - given.center_mm).max() <= STEP_MM / 2
    turned = np.degrees(np.arccos(np.clip((near.axes * given.axes).sum(axis=1), -1, 1)))
    assert turned.max() < 6.0
    assert np.allclose(near.axes @ near.axes.T, np.eye(3))


def test_what_is_on_the_lattice_stays_there():
    near = on_lattice(frame([1.0, 2.0, 3.0], [0.1, 0.3, -0.9]))
    again = on_lattice(near)
    assert np.array_equal(again.center_mm, near.center_mm)
    assert np.allclose(again.axes, near.axes)


def test_there_is_no_negative_zero():
    near = on_lattice(frame([-0.1, -1.0, 1.0], [-0.01, -0.01, -1.0]))
    assert not np.signbit(near.center_mm).any()


def spine():
    return [Vertebra(level, (41.0, 41.0, 81.0 - 36.0 * k)) for k, level in enumerate(LEVELS)]


def painter(calls):
    def network(x):
        calls.append(len(x))
        return np.zeros((len(x), 2, *x.shape[2:]), np.float32)

    return network


def test_only_crops_that_moved_are_painted_again():
    calls, asked = [], []
    given = np.array([one.centroid_mm for one in spine()])

    def places(crops):
        asked.append([crop.frame.center_mm.tolist() for crop in crops])
        return given + np.array([[0.0, 0, 4.0], [0.0, 0, 0]]) * (len(asked) > 1)

    crops = painted_at_rest(SCAN, spine(), painter(calls), places)
    # As given, both on the lattice, then the first alone.
    assert sum(calls) == 2 + 2 + 1
    assert crops[0].frame.center_mm.tolist() == [40.0, 40.0, 84.0]
    assert crops[1].frame.center_mm.tolist() == [40.0, 40.0, 44.0]


def test_centers_that_never_rest_end_after_some_rounds():
    calls, asked = [], []
    given = np.array([one.centroid_mm for one in spine()])

    def places(crops):
        asked.append(crops)
        return given + 8.0 * (len(asked) % 2)

    painted_at_rest(SCAN, spine(), painter(calls), places)
    assert len(asked) == ROUNDS


def test_without_a_thoracic_or_lumbar_vertebra_nothing_is_painted():
    neck = [Vertebra(VertebraLevel.C5, (40.0, 40.0, 60.0))]
    assert painted_at_rest(SCAN, neck, painter([]), lambda _: np.zeros((1, 3))) == []
