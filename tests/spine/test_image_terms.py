"""Terms of the image on sheets whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.image_terms import TERMS, image_terms, scan_terms
from spinexplain.types import Patch, Vertebra

L1 = Vertebra(VertebraLevel("L1"), (0.0, 0.0, 0.0))


def terms(sheet, spacing=(0.5, 0.5, 2.0), outside=0.0):
    frame = SimpleNamespace(shape=sheet.shape)
    return image_terms(Patch(L1, sheet.astype(np.float32), frame, outside), spacing)


def test_noise_is_read_through_structure():
    rows, columns = np.mgrid[:112, :112]
    noise = np.random.default_rng(0).normal(0, 30.0, (112, 112))
    found = terms(40 + 2.0 * rows - 1.0 * columns + noise)
    assert found["noise_hu"] == pytest.approx(30.0, rel=0.05)
    assert found["slice_mm"] == 2.0


def test_a_smooth_sheet_is_less_sharp_than_noise_and_an_overshoot_sharper():
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(1).normal(0, 30.0, (112, 112))
    smooth = gaussian_filter(noise, 1.5)
    # an overshoot darkens what lies beside a bright sample: steps of one exceed steps of two
    sharpened = noise + 0.5 * (noise - np.roll(noise, 1, axis=1))
    found = [terms(one)["sharpness"] for one in (smooth, noise, sharpened)]
    assert found == sorted(found)
    assert found[0] < 0.65 < 0.95 < found[1] < 1.1 < found[2]


def test_levels_of_soft_tissue_and_bone():
    sheet = np.full((112, 112), 50.0)
    sheet[46:66, 46:66] = 180.0
    found = terms(sheet, outside=0.25)
    assert (found["soft_tissue_hu"], found["bone_hu"], found["outside"]) == (50.0, 180.0, 0.25)


def test_the_scanner_is_one_for_all_and_the_body_its_own():
    a, b, c = (dict.fromkeys(TERMS, value) for value in (1.0, 2.0, 9.0))
    found = scan_terms([a, b, c])
    assert [one["noise_hu"] for one in found] == [2.0, 2.0, 2.0]
    assert [one["bone_hu"] for one in found] == [1.0, 2.0, 9.0]
    assert scan_terms([]) == []
