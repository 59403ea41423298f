"""Peaks of air, fat and muscle, in drawn histograms and in real scans."""

from pathlib import Path

import numpy as np
import pytest

from spinexplain.io.nifti import read_volume
from spinexplain.io.tissue_peaks import (
    hounsfield_doubt,
    odd_slices,
    tissue_peaks,
    wrong_offset_hu,
)

DATA = Path(__file__).parents[1] / "data"
REAL = [
    "totalsegmentator-example/example_ct.nii.gz",
    "totalsegmentator-thoracic/thoracic_ct.nii.gz",
    "tptbox-sample-ct/sub-ct_label-22_ct.nii.gz",
]


def values(*parts, seed=0):
    """Draw (share, mean, sd) parts as a volume of 24^3 values."""
    rng = np.random.default_rng(seed)
    n = 24**3
    drawn = [rng.normal(mean, sd, round(share * n)) for share, mean, sd in parts]
    flat = rng.permutation(np.concatenate(drawn))
    flat = np.concatenate([flat, np.full(max(n - len(flat), 0), flat[0])])[:n]
    return np.rint(flat).astype(np.int16).reshape(24, 24, 24)


AIR, LUNG = (0.4, -1000, 20), (0.3, -850, 40)
MUSCLE, FAT, BONE = (0.35, 50, 20), (0.2, -100, 15), (0.05, 400, 150)
BODY = values(AIR, MUSCLE, FAT, BONE)


@pytest.mark.parametrize("name", REAL)
def test_real_scans_raise_no_doubt(name):
    array = read_volume(DATA / name).array
    assert hounsfield_doubt(array) == ""
    assert wrong_offset_hu(tissue_peaks(array)) is None
    assert odd_slices(array, 2) == []


@pytest.mark.parametrize(
    "parts", [(AIR, MUSCLE, FAT, BONE), (LUNG, MUSCLE, FAT), (MUSCLE, FAT, BONE)]
)
def test_bodies_raise_no_doubt(parts):
    array = values(*parts)
    assert hounsfield_doubt(array) == ""
    assert wrong_offset_hu(tissue_peaks(array)) is None


@pytest.mark.parametrize("offset", [1024, 1000, 2048, -1024])
def test_a_wrong_offset_is_measured(offset):
    found = wrong_offset_hu(tissue_peaks(BODY + offset))
    assert found == pytest.approx(offset, abs=30)


def test_padding_is_no_sign_of_offset():
    padded = BODY + 1024
    padded[:4] = -2000
    assert wrong_offset_hu(tissue_peaks(padded)) == pytest.approx(1024, abs=30)
    inside = values(MUSCLE, FAT) + 1024
    inside[:4] = -2000
    assert "but for padding" in hounsfield_doubt(inside)


def test_mr_is_doubted_but_not_measured():
    mr = np.abs(values((0.4, 0, 15), (0.6, 450, 100)))
    assert "no value lies below -200" in hounsfield_doubt(mr)
    assert wrong_offset_hu(tissue_peaks(mr)) is None


@pytest.mark.parametrize("window", [(-160, 240), (-500, 800), (-200, 300)])
def test_a_display_window_is_recognized(window):
    assert "cut off" in hounsfield_doubt(np.clip(BODY, *window))


def test_clipping_at_air_and_dense_bone_is_usual():
    assert hounsfield_doubt(np.clip(BODY, -1024, 1500)) == ""


def test_slices_without_their_offset_are_found_along_any_axis():
    for axis in range(3):
        odd = BODY.copy()
        np.moveaxis(odd, axis, 0)[[5, 6]] += 1024
        assert odd_slices(odd, axis) == [5, 6]


@pytest.mark.parametrize(("factor", "said"), [(2, "-2000"), (10, "-10000")])
def test_values_in_other_units_are_lighter_than_air(factor, said):
    doubt = hounsfield_doubt(BODY.astype(np.int32) * factor)
    assert "far lighter than air (-1000)" in doubt
    assert f"{AIR[0]:.0%} of the values lie at {int(said) // 100}" in doubt


def test_halves_hold_no_air():
    doubt = hounsfield_doubt(BODY // 2)
    assert "none near air (-1000): the lightest lie at -5" in doubt
    lung_alone = values((0.4, -720, 30), MUSCLE, FAT, BONE)
    little_gas = values((0.03, -450, 60), (0.6, 50, 20), FAT, BONE)
    assert hounsfield_doubt(lung_alone) == hounsfield_doubt(little_gas) == ""


def test_tenths_hold_no_bone():
    assert "densest thousandth begins at" in hounsfield_doubt(BODY.astype(np.float32) / 10)


def test_noisy_air_and_padding_are_no_other_units():
    noisy = values((0.4, -1000, 130), MUSCLE, FAT, BONE)
    noisy[:6] = -3024
    assert hounsfield_doubt(noisy) == ""


@pytest.mark.parametrize("noise_hu", [90, 130])
def test_noise_of_fat_is_not_taken_for_air_of_half_its_value(noise_hu):
    rng = np.random.default_rng(1)
    parts = [(40, noise_hu, 40_000), (-110, noise_hu, 60_000), (400, 300, 5000)]
    array = np.concatenate([rng.normal(*part) for part in parts]).reshape(100, 105, 10)
    assert hounsfield_doubt(array.astype(np.int16)) == ""
