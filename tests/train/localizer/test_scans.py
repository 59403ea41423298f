import numpy as np
import pytest

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.geometry import apply_affine
from spinexplain.train.localizer.scans import drawn_scan


@pytest.fixture(scope="module")
def person():
    return draw_wide_person("wide", 5, 0)


def test_a_crop_shows_three_bodies_or_more_and_knows_which(person):
    scan = drawn_scan(person, 7, crop=True, spacing_mm=6.0)
    graded = [name for name in scan.levels if name[0] in "TL"]
    assert len(graded) >= 3
    at = apply_affine(np.linalg.inv(scan.volume.affine), scan.centers_mm)
    assert (at >= 0).all()
    assert (at <= np.array(scan.volume.array.shape) - 1).all()
    for name, center in zip(scan.levels, scan.centers_mm, strict=True):
        assert np.array_equal(center, person.centers_mm[name])


def test_the_same_seed_shows_the_same_part(person):
    one, again, other = (drawn_scan(person, seed, True, 8.0) for seed in (3, 3, 4))
    assert np.array_equal(one.volume.array, again.volume.array)
    assert one.levels != other.levels
