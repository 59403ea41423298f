from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.presets import Scanner
from spinexplain.data.phantom.scanner import (
    Acquisition,
    coarsen,
    draw_acquisition,
    scan_sheet,
    scan_volume,
    streaks,
)

PLAIN = Acquisition(
    psf_mm=0.6,
    slice_mm=0.6,
    noise_hu=0.0,
    noise_color=0.6,
    sharpen=0.0,
    streak_hu=0.0,
    coarse_mm=0.0,
    coarse_both=False,
    gain=1.0,
    offset_hu=0.0,
    seed=1,
)


def test_blur_keeps_the_mean_and_spreads_an_edge_by_its_width():
    tissue = np.zeros((40, 60), np.float32)
    tissue[:, 30:] = 400
    image = scan_sheet(tissue, replace(PLAIN, psf_mm=1.5))
    slope = np.diff(image[20])
    at = np.arange(59) + 0.5
    assert slope.sum() == pytest.approx(400, abs=1)
    spread = np.sqrt((slope * (at - (slope * at).sum() / 400) ** 2).sum() / 400)
    assert spread == pytest.approx(1.5, abs=0.15)


def test_noise_has_the_level_asked_for_in_both_paths():
    how = replace(PLAIN, noise_hu=30.0)
    flat = np.zeros((120, 120), np.float32)
    assert scan_sheet(flat, how).std() == pytest.approx(30, rel=0.1)
    volume = scan_volume(np.zeros((40, 40, 40), np.float32), how, (1.0, 1.0, 1.0))
    assert volume.std() == pytest.approx(30, rel=0.1)
    assert volume.dtype == np.int16


def test_sharpening_overshoots_at_an_edge():
    tissue = np.zeros((40, 60), np.float32)
    tissue[:, 30:] = 400
    assert scan_sheet(tissue, replace(PLAIN, sharpen=1.0)).max() > 440


def test_gain_and_offset_act_about_air():
    how = replace(PLAIN, gain=1.05, offset_hu=10.0)
    assert scan_sheet(np.zeros((9, 9), np.float32), how) == pytest.approx(60)
    assert scan_volume(np.full((5, 5, 5), -1000.0, np.float32), how, (1, 1, 1)).max() == -990


def test_coarse_sampling_keeps_a_ramp():
    ramp = np.tile(np.arange(50.0, dtype=np.float32)[:, None], (1, 4))
    again = coarsen(ramp, 2.7, 0.4, 0)
    assert again[4:-4] == pytest.approx(ramp[4:-4], abs=1e-4)


def test_streaks_run_along_lines():
    lines = streaks(np.random.default_rng(0), (80, 80), 100.0)
    assert np.abs(np.diff(lines, axis=1)).mean() < 0.6 * np.abs(np.diff(lines, axis=0)).mean()


def test_acquisitions_stay_in_their_ranges():
    rng = np.random.default_rng(0)
    ranges = Scanner()
    drawn = [draw_acquisition(rng, ranges) for _ in range(200)]
    noise = [how.noise_hu for how in drawn]
    assert ranges.noise_hu[0] <= min(noise) < 8 < 40 < max(noise) <= ranges.noise_hu[1]
    assert 0.2 < np.mean([how.sharpen > 0 for how in drawn]) < 0.47
