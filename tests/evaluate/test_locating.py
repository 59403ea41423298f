import numpy as np
import pytest

from spinexplain.evaluate.locating import (
    LocatedScan,
    chance_ece,
    judged_scan,
    located_figures,
    matched,
    naming_ece,
)

NAMES = ("T11", "T12", "L1", "L2")
TRUTH = np.array([[0.0, 0.0, -30.0 * k] for k in range(4)])


def scan(probability, right):
    return LocatedScan(4, 4, 4, 0, 4 if right else 0, 4, right, probability, False)


def test_all_right():
    one = judged_scan(TRUTH + 2.0, NAMES, TRUTH, NAMES, 0.9, True)
    assert one == LocatedScan(4, 4, 4, 0, 4, 4, True, 0.9, True)


def test_names_one_level_off_are_right_after_the_shift():
    one = judged_scan(TRUTH, ("T12", "L1", "L2", "L3"), TRUTH, NAMES)
    assert (one.named, one.shifted, one.right) == (0, 4, False)


def test_a_missed_body_and_an_extra_center_are_counted():
    centers = np.vstack([TRUTH[:3] + np.array([0.0, 7.0, 0.0]), [[0.0, 0.0, -150.0]]])
    one = judged_scan(centers, ("T11", "T12", "L1", "L4"), TRUTH, NAMES)
    assert (one.found, one.close, one.extra, one.named) == (3, 0, 1, 3)


def test_neck_and_sacrum_neither_count_nor_make_a_center_extra():
    truth = np.vstack([[[0.0, 0.0, 25.0]], TRUTH, [[0.0, 0.0, -120.0]]])
    names = ("C7", *NAMES, "S1")
    one = judged_scan(truth, ("C7", *NAMES, "S"), truth, names)
    assert (one.bodies, one.found, one.extra, one.right) == (4, 4, 0, True)


def test_each_center_is_used_once():
    of_body, distance = matched(np.array([[0.0, 0.0, -4.0]]), TRUTH[:2])
    assert of_body.tolist() == [0, -1]
    assert distance[1] == np.inf


def test_nothing_found_is_nothing_right():
    one = judged_scan(np.zeros((0, 3)), (), TRUTH, NAMES, refused=True)
    assert (one.found, one.named, one.right, one.refused) == (0, 0, False, True)


def test_calibration_error_by_hand():
    scans = [scan(0.95, True), scan(0.95, False), scan(0.55, True)]
    # bin of 0.95: 1.9 - 1 over two scans; bin of 0.55: 1 - 0.55
    assert naming_ece(scans) == pytest.approx((0.9 + 0.45) / 3)
    assert naming_ece([]) == 0.0


def test_figures_are_shares_of_bodies():
    figures = located_figures([scan(0.97, True), scan(0.99, False)])
    assert figures["named"] == 0.5
    assert figures["found"] == 1.0
    assert (figures["sure"], figures["sure_wrong"]) == (2, 1)


def test_probabilities_that_hold_still_miss_by_chance_in_few_scans():
    """One scan of .9 is off by .1 when right and by .9 when wrong: .18 in the mean."""
    one = LocatedScan(5, 5, 5, 0, 5, 5, True, 0.9, False)
    mean, most = chance_ece([one], draws=4000)
    assert mean == pytest.approx(0.18, abs=0.02)
    assert most == pytest.approx(0.9)
    assert chance_ece([one] * 200)[0] < 0.03
    assert chance_ece([one] * 5, seed=1) == chance_ece([one] * 5, seed=1)
