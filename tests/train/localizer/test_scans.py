import numpy as np
import pytest

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.geometry import apply_affine
from spinexplain.train.localizer.scans import around_spine, drawn_scan


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


def test_a_field_laid_on_the_spine_keeps_the_bodies_and_their_places(person):
    scan = drawn_scan(person, 3, True, 4.0)
    narrow = around_spine(scan, beside_mm=20.0)
    assert narrow.levels == scan.levels
    assert narrow.volume.array.shape[2] == scan.volume.array.shape[2]
    sides = np.ptp(scan.centers_mm, axis=0)[:2] + 2 * 20.0
    assert np.all(np.abs(np.array(narrow.volume.array.shape[:2]) * 4.0 - sides) < 13.0)
    for center in scan.centers_mm:
        here, there = (
            apply_affine(np.linalg.inv(one.affine), center).round().astype(int)
            for one in (narrow.volume, scan.volume)
        )
        assert narrow.volume.array[tuple(here)] == scan.volume.array[tuple(there)]
