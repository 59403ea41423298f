"""The blood in front of a drawn spine, plain and enhanced."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.aorta import aorta_hu, brightest_even, contrast_seen
from spinexplain.types import Vertebra, Volume

LEVELS = ("T12", "L1", "L2", "L3")


def spine(blood_hu, noise_hu=20.0, levels=LEVELS):
    """Fat all around, bodies of 150 HU, a vessel of 18 mm in front of them on the left."""
    x, y, z = np.mgrid[:80, :80, :80].astype(float) * 2.0
    hu = np.full(x.shape, -90.0)
    hu[np.hypot(x - 80, y - 60) <= 20] = 150.0
    blood = blood_hu if np.ndim(blood_hu) == 0 else np.interp(z, [0, 158], blood_hu)
    hu = np.where(np.hypot(x - 70, y - 98) <= 9, blood, hu)
    hu += np.random.default_rng(0).normal(0, noise_hu, hu.shape)
    vertebrae = [
        Vertebra(VertebraLevel(name), (80.0, 60.0, 135.0 - 33 * n)) for n, name in enumerate(levels)
    ]
    return Volume(hu.astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0])), vertebrae


@pytest.mark.parametrize(("blood", "words"), [(42.0, "none"), (310.0, "given")])
def test_blood_is_read_through_noise(blood, words):
    found = aorta_hu(*spine(blood))
    assert found == pytest.approx(blood, abs=12)
    assert contrast_seen(found) == words


def test_blood_between_the_two_is_not_known():
    assert contrast_seen(aorta_hu(*spine(122.0))) == "unknown"


def test_where_levels_differ_nobody_can_say():
    assert aorta_hu(*spine((40.0, 240.0))) is None


def test_two_levels_are_too_few():
    assert aorta_hu(*spine(42.0, levels=("L1", "L2"))) is None


def test_a_plate_without_tissue_has_no_blood():
    assert brightest_even(np.full((16, 30), -900.0)) is None
