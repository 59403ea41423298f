import numpy as np
import pytest

from spinexplain.geometry import BoxFrame, box_axes, fit_curve
from spinexplain.localizer.refine import (
    BodyPlaces,
    apart,
    mask_place,
    on_line,
    onto_bodies,
    through_centers,
)
from spinexplain.types import Volume

CAUDAL = np.array([0.0, 0, -1])
BALLS = np.array([[40.0, 44, 110], [42.0, 44, 80], [44.0, 42, 50]])


@pytest.fixture(scope="module")
def scan():
    index = np.moveaxis(np.indices((40, 40, 70)), 0, -1) * 2.0
    away = np.min([np.linalg.norm(index - ball, axis=-1) for ball in BALLS], axis=0)
    return Volume(np.where(away < 10, 500, 30).astype(np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))


def bright(x):
    return np.where(x > 0.9, 9.0, -9.0)


def test_centers_move_onto_their_bodies_and_those_not_asked_stay(scan):
    start = BALLS + np.array([5.0, -4.0, 3.0])
    moved = onto_bodies(scan, BodyPlaces(start, start), np.zeros(3, bool), bright, [0, 2]).means_mm
    assert np.linalg.norm(moved - BALLS, axis=1)[[0, 2]].max() < 0.6
    assert moved[1].tolist() == start[1].tolist()


def test_a_cut_body_moves_across_the_spine_only(scan):
    start = BALLS + np.array([5.0, 0.0, 3.0])
    moved = onto_bodies(
        scan, BodyPlaces(start, start), np.array([True, False, False]), bright, [0, 1, 2]
    ).means_mm
    assert moved[0, 0] == pytest.approx(BALLS[0, 0], abs=1.0)
    assert abs(moved[0, 2] - start[0, 2]) < 0.7
    assert moved[1, 2] == pytest.approx(BALLS[1, 2], abs=0.7)


def test_what_has_not_a_bodys_size_moves_nothing(scan):
    start = BALLS + 3.0
    for answer in (-9.0, 9.0):
        moved = onto_bodies(
            scan,
            BodyPlaces(start, start),
            np.zeros(3, bool),
            lambda x, a=answer: np.full(x.shape, a),
            range(3),
        )
        assert moved.means_mm.tolist() == moved.middles_mm.tolist() == start.tolist()


def test_a_bent_spine_is_one_line_and_a_rib_beside_it_is_not():
    s = np.arange(12) * 22.0
    spine = np.stack([25 * np.sin(s / 60), 10 * np.cos(s / 80), -s], axis=-1)
    assert on_line(spine).all()
    with_rib = np.insert(spine, 5, spine[4] + [16.0, -8.0, -9.0], axis=0)
    assert np.flatnonzero(~on_line(with_rib)).tolist() == [5]


def test_of_two_centers_in_one_body_the_surer_stays():
    centers = np.array([[0.0, 0, 50], [1.0, 0, 48], [0, 0, 25]])
    assert apart(centers, np.array([0.5, 0.9, 0.7]), np.full(3, 25.0)).tolist() == [
        False,
        True,
        True,
    ]


def test_a_curve_through_centers_keeps_its_ends():
    old = fit_curve(np.array([[6.0, 0, 200], [6.0, 0, 0]]), CAUDAL)
    centers = np.array([[0.0, 0, 150], [0.0, 0, 120], [0.0, 0, 90]])
    curve = through_centers(old, centers)
    ends = curve.at(np.array([0.0, curve.length_mm]))
    assert ends[0] == pytest.approx([0, 0, 200], abs=1.0)
    assert ends[1] == pytest.approx([0, 0, 0], abs=1.0)
    assert np.linalg.norm(curve.at(curve.nearest(centers)) - centers, axis=1).max() < 0.1


def test_a_hollow_bodys_middle_lies_in_front_of_its_mean():
    frame = BoxFrame(np.zeros(3), box_axes(CAUDAL), (40, 48, 48), 1.25)
    v, u = np.arange(48)[:, None], np.arange(48)
    plan = (v >= 10) & (v <= 32 - 5 * (np.abs(u - 23.5) < 6)) & (np.abs(u - 23.5) < 16)
    share = np.zeros(frame.shape)
    share[10:30] = 0.9 * plan
    mean, middle = mask_place(share, frame)
    assert middle[1] - mean[1] > 1.0  # anterior is positive
    assert frame.to_patch(middle) == pytest.approx([19.5, 18.5, 23.5], abs=0.2)
    share[:, :, 30:] = 0.0  # painted on one side alone: the middle would be far off
    mean, middle = mask_place(share, frame)
    assert np.linalg.norm(middle - mean) <= 5.0


def test_a_mask_of_no_bodys_size_has_no_place():
    frame = BoxFrame(np.zeros(3), box_axes(CAUDAL), (40, 48, 48), 1.25)
    assert mask_place(np.ones(frame.shape), frame) is None
