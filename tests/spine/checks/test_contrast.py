"""Bone stands out, muscle does not, and what is blank says nothing."""

import numpy as np
import pytest

from spinexplain.spine.checks.contrast import (
    center_contrast,
    compared,
    label_contrasts,
    middle_contrast,
)
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import level_boxes
from spinexplain.types import Vertebra, Volume


def contrasts(scan, labels):
    matched = match_grid(labels, scan.volume)
    return label_contrasts(scan.volume, matched, level_boxes(matched))


def test_labels_on_their_bones_stand_out(drawn_scan):
    found = contrasts(drawn_scan, drawn_scan.labels)
    assert set(found) == set(drawn_scan.centers)
    assert min(one.share for one in found.values()) > 0.95
    middle = middle_contrast(found)
    assert middle.inside_hu == pytest.approx(220, abs=5)
    assert middle.around_hu == pytest.approx(50, abs=10)


@pytest.mark.parametrize("shift", [(40, 0, 0), (0, 40, 0), (20, -16, 0)])
def test_displaced_labels_do_not(drawn_scan, shift):
    assert middle_contrast(contrasts(drawn_scan, drawn_scan.moved(*shift))).share < 0.7


def test_share_is_the_chance_of_being_denser():
    rng = np.random.default_rng(0)
    inside, around = rng.normal(80, 60, 900), rng.normal(40, 60, 700)
    slow = np.mean(inside[:, None] > around) + np.mean(inside[:, None] == around) / 2
    assert compared(inside, around).share == pytest.approx(slow)


def test_too_few_or_all_alike_says_nothing():
    assert compared(np.arange(10.0), np.arange(500.0)) is None
    assert compared(np.full(500, 0.0), np.full(500, 0.0)) is None
    assert middle_contrast({}) is None


def test_a_blanked_region_is_left_out():
    rng = np.random.default_rng(0)
    inside, around = rng.normal(220, 20, 400), rng.normal(50, 20, 400)
    blank = np.zeros(600)
    found = compared(np.concatenate([inside, blank]), np.concatenate([around, blank]))
    assert found.share > 0.99


def test_centers_see_their_body_and_the_arch_behind(drawn_scan):
    for vertebra in drawn_scan.vertebrae():
        one = center_contrast(drawn_scan.volume, vertebra)
        assert one.body.share > 0.95
        assert one.behind > 0.1
        assert one.before < 0.02


def test_a_center_outside_the_scan_says_nothing(drawn_scan):
    level = next(iter(drawn_scan.centers))
    assert center_contrast(drawn_scan.volume, Vertebra(level, (9999.0, 0.0, 0.0))) is None
    tiny = Volume(np.zeros((2, 2, 2), np.int16), np.eye(4))
    assert center_contrast(tiny, Vertebra(level, (0.0, 0.0, 0.0))) is None
