import numpy as np
import pytest

from spinexplain.localizer.centers import AlongSpine, along_spine, center_positions
from spinexplain.models.localizing import CENTER, LEVEL_CLASSES, LEVELS, OFFSETS

STEP = 2.0


def line(at_mm, heights, n=160, disc_mm=()):
    s = np.arange(n) * STEP
    center = np.zeros(n) + 0.01
    for at, height in zip(at_mm, heights, strict=True):
        center = np.maximum(center, height * np.exp(-((s - at) ** 2) / 18.0))
    disc = np.zeros(n)
    for at in disc_mm:
        disc = np.maximum(disc, np.exp(-((s - at) ** 2) / 18.0))
    levels = np.full((n, len(LEVEL_CLASSES)), 1 / len(LEVEL_CLASSES))
    return AlongSpine(center, disc, np.zeros((n, 3)), levels)


def chosen(seen, inside=None, gap=30.0):
    n = len(seen.center)
    inside = np.ones(n, bool) if inside is None else inside
    return (center_positions(seen, inside, np.full(n, gap), STEP) * STEP).tolist()


def test_clear_peaks_are_the_centers():
    at = [40.0, 70.0, 100.0, 130.0]
    assert chosen(line(at, [0.9, 0.8, 0.95, 0.7])) == at


def test_a_faint_body_between_two_is_kept_where_the_gap_asks_for_it():
    at = [40.0, 70.0, 100.0, 130.0]
    assert chosen(line(at, [0.9, 0.2, 0.9, 0.9])) == at


def test_a_second_peak_within_a_body_is_left_out():
    found = chosen(line([40.0, 70.0, 82.0, 100.0], [0.9, 0.9, 0.5, 0.9]))
    assert found == [40.0, 70.0, 100.0]


def test_a_faint_peak_beyond_the_end_is_left_out():
    assert chosen(line([40.0, 70.0, 100.0], [0.9, 0.9, 0.1])) == [40.0, 70.0]


def test_positions_outside_the_scan_hold_no_center():
    at = [40.0, 70.0, 100.0]
    inside = np.arange(160) * STEP < 90.0
    assert chosen(line(at, [0.9, 0.9, 0.9]), inside) == [40.0, 70.0]


def test_nothing_is_found_where_nothing_is():
    assert chosen(line([], [])) == []


def test_answers_become_probabilities_and_millimeters():
    answer = np.zeros((5 + len(LEVEL_CLASSES), 4), np.float32)
    answer[CENTER] = [0.0, 50.0, -50.0, np.log(3)]
    answer[OFFSETS, 1] = [0.1, -0.2, 0.3]
    answer[LEVELS.start, 2] = 30.0
    seen = along_spine(answer)
    assert seen.center == pytest.approx([0.5, 1.0, 0.0, 0.75], abs=1e-6)
    assert seen.offsets_mm[1] == pytest.approx([1.0, -2.0, 3.0])
    assert seen.levels[2, 0] == pytest.approx(1.0)
    assert np.allclose(seen.levels.sum(axis=1), 1.0)
