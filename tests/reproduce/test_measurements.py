"""The study of heights and densities: thicker slices, and what a scanner adds."""

from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scanner import draw_acquisition
from spinexplain.reproduce.measurements import as_scanned, in_thicker_slices, perfect
from spinexplain.types import LabelMap


def test_every_second_slice_stays_where_it_was():
    array = np.arange(2 * 3 * 7, dtype=np.uint8).reshape(2, 3, 7)
    affine = np.diag([2.0, 2.0, -1.1, 1.0])
    affine[:3, 3] = [5.0, 6.0, 7.0]
    thick, apart = in_thicker_slices(LabelMap(array, affine), 2)
    assert apart == pytest.approx(2.2)
    for k in range(thick.array.shape[2]):
        place = thick.affine @ [0, 0, k, 1]
        source = round(float((np.linalg.inv(affine) @ place)[2]))
        np.testing.assert_array_equal(thick.array[:, :, k], array[:, :, source])


def test_a_mask_already_thicker_is_left_alone():
    labels = LabelMap(np.ones((2, 2, 5), np.uint8), np.diag([1.0, 1.0, 3.0, 1.0]))
    thick, apart = in_thicker_slices(labels, 1)
    assert thick.array.shape == labels.array.shape
    assert apart == 3.0


def test_a_perfect_scanner_draws_the_same_numbers_in_the_same_order():
    preset = load_preset("hard")
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    draw_acquisition(one, preset.scanner)
    how = draw_acquisition(other, perfect(preset).scanner)
    assert one.random() == other.random() or not how.streak_hu
    assert (how.gain, how.offset_hu, how.sharpen, how.coarse_mm) == (1.0, 0.0, 0.0, 0.0)


def test_gain_and_offset_are_those_of_the_scanner():
    scan = SimpleNamespace(acquisition=SimpleNamespace(gain=0.95, offset_hu=10.0))
    assert as_scanned(scan, 100.0) == pytest.approx(95 - 50 + 10)
    assert as_scanned(scan, -1000.0) == pytest.approx(-990.0)
