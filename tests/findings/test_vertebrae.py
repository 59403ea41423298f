from dataclasses import replace

import numpy as np
import pytest

from fixtures.localizers import ellipsoid, localization_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError
from spinexplain.findings import vertebrae as module
from spinexplain.findings.vertebrae import scan_vertebrae
from spinexplain.spine.quality import BODY_UPPER_THORACIC
from spinexplain.types import LabelMap, Vertebra, Volume

LEVELS = [VertebraLevel(name) for name in ("T3", "T4", "T5")]
SPINE = [Vertebra(level, (60.0, 60.0, 130.0 - 36.0 * i)) for i, level in enumerate(LEVELS)]


@pytest.fixture
def scan():
    """Three blocks of bone in soft tissue."""
    hu = np.full((60, 60, 90), 40, np.int16)
    for vertebra in SPINE:
        x, y, z = (round(value / 2) for value in vertebra.centroid_mm)
        hu[x - 8 : x + 8, y - 7 : y + 7, z - 5 : z + 5] = 400
    return Volume(hu, np.diag([2.0, 2.0, 2.0, 1.0]))


def test_with_nothing_given_bodies_are_found_and_measured_where_good_enough(
    scan, pretend_localizer
):
    pretend_localizer(localization_of(SPINE))
    spine = scan_vertebrae(scan)
    assert spine.found is not None
    assert set(spine.heights()) == set(LEVELS[1:])
    flags = spine.flags(scan)
    assert BODY_UPPER_THORACIC in flags[LEVELS[0]]
    assert BODY_UPPER_THORACIC not in flags[LEVELS[1]]


def test_heights_on_a_painted_mask_are_less_sure_than_on_the_same_mask_given(
    scan, pretend_localizer
):
    pretend_localizer(localization_of(SPINE))
    spine = scan_vertebrae(scan)
    given = scan_vertebrae(scan, labels=spine.mask)

    def width(heights):
        low, high = heights[LEVELS[1]].loss_interval
        return high - low

    assert given.found is None
    assert given.heights()[LEVELS[1]].loss == pytest.approx(
        spine.heights()[LEVELS[1]].loss, abs=0.02
    )
    assert width(spine.heights()) > 1.2 * width(given.heights())


def test_centers_alone_have_heights_on_bodies_painted_around_them(scan, monkeypatch):
    monkeypatch.setattr(module, "shipped_body", lambda: ellipsoid)
    spine = scan_vertebrae(scan, centroids=SPINE)
    assert spine.found is None
    assert spine.labels is None
    assert set(spine.heights()) == set(LEVELS[1:])
    assert BODY_UPPER_THORACIC in spine.flags(scan)[LEVELS[0]]
    assert spine.settled.unsettled == ()
    assert spine.moved_mm == spine.settled.moved_mm


def test_moves_to_the_bodies_of_a_given_mask_are_listed(scan, pretend_localizer):
    pretend_localizer(localization_of(SPINE))
    mask = scan_vertebrae(scan).mask
    alone = scan_vertebrae(scan, labels=mask)
    assert alone.moved_mm == {}
    first, second, *others = alone.vertebrae
    x, y, z = first.centroid_mm
    near = replace(first, centroid_mm=(x + 3.0, y, z))
    far = replace(second, centroid_mm=tuple(np.add(second.centroid_mm, (7.0, 0.0, 0.0))))
    both = scan_vertebrae(scan, labels=mask, centroids=[near, far, *others])
    assert both.moved_mm == pytest.approx({first.level: 3.0})
    hardly = replace(first, centroid_mm=(x + 0.04, y, z))
    assert scan_vertebrae(scan, labels=mask, centroids=[hardly, second]).moved_mm == {}


def test_where_no_body_is_painted_centers_stay_and_have_no_heights(scan, monkeypatch):
    monkeypatch.setattr(module, "shipped_body", lambda: lambda x: np.full_like(x, -9.0))
    spine = scan_vertebrae(scan, centroids=SPINE)
    assert spine.heights() == {}
    assert [one.centroid_mm for one in spine.vertebrae] == [one.centroid_mm for one in SPINE]


def test_a_mask_wins_over_the_localizer(scan):
    labels = np.where(scan.array > 200, np.uint8(0), np.uint8(0))
    for vertebra in SPINE:
        z = round(vertebra.centroid_mm[2] / 2)
        labels[22:38, 23:37, z - 5 : z + 5] = vertebra.level.verse_label
    spine = scan_vertebrae(scan, labels=LabelMap(labels, scan.affine))
    assert spine.found is None
    assert spine.mask is spine.labels


def test_a_first_level_beside_centers_is_refused(scan):
    with pytest.raises(ConfigError, match="first level"):
        scan_vertebrae(scan, centroids=SPINE, first_level="T4")
