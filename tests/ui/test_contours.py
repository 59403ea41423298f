import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spinexplain.ui.contours import (
    mass_contour,
    mass_level,
    outlines,
    region_box,
    region_level,
)


def _rings(path):
    for ring in path.split("M")[1:]:
        yield np.array([[float(v) for v in p.split()] for p in re.split("[LZ]", ring) if p])


def _area(ring):
    x, y = ring.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def _slow_mass_level(heatmap, share):
    """Lower the level value by value until what lies at or above it is enough."""
    for level in sorted(set(heatmap.ravel()), reverse=True):
        if heatmap[heatmap >= level].sum() >= share * heatmap.sum():
            return level
    raise AssertionError("unreachable")


@given(
    arrays(float, (5, 6), elements=st.integers(0, 9).map(float)).filter(lambda a: a.sum() > 0),
    st.sampled_from([0.25, 0.5, 0.8]),
)
def test_the_level_is_the_highest_that_encloses_the_share(heatmap, share):
    assert mass_level(heatmap, share) == _slow_mass_level(heatmap, share)


def test_a_gaussian_is_enclosed_by_the_circle_that_holds_half_of_it():
    row, column = np.mgrid[:101, :101] - 50.0
    heatmap = np.exp(-(row**2 + column**2) / (2 * 10.0**2))
    (ring,) = _rings(mass_contour(heatmap, 0.5))
    radius = 10.0 * np.sqrt(2 * np.log(2))  # 1 - exp(-r^2 / 2 sigma^2) = 1/2
    np.testing.assert_allclose(_area(ring), np.pi * radius**2, rtol=0.02)
    np.testing.assert_allclose(ring.mean(axis=0), [50.5, 50.5], atol=0.2)


def test_a_region_at_the_border_is_closed_along_it():
    heatmap = np.zeros((20, 30))
    heatmap[:5, 25:] = 1.0
    (ring,) = _rings(mass_contour(heatmap, 0.5))
    assert ring[:, 0].max() == pytest.approx(30, abs=0.6)
    assert ring[:, 1].min() == pytest.approx(0, abs=0.6)
    assert 16 <= _area(ring) <= 25  # through the outer sample centers, not beyond the samples


def test_rows_run_down_and_columns_to_the_right():
    heatmap = np.zeros((20, 30))
    heatmap[14:17, 3:6] = 1.0
    (ring,) = _rings(mass_contour(heatmap, 0.8))
    np.testing.assert_allclose(ring.mean(axis=0), [4.5, 15.5], atol=0.5)


def test_two_regions_give_two_rings():
    heatmap = np.zeros((30, 30))
    heatmap[4:8, 4:8] = heatmap[20:24, 20:24] = 1.0
    assert len(list(_rings(mass_contour(heatmap, 0.8)))) == 2


def test_nothing_is_enclosed_where_there_is_nothing():
    assert mass_level(np.zeros((3, 3)), 0.5) == np.inf
    assert mass_contour(np.zeros((8, 8)), 0.5) == ""


def test_a_floor_under_the_evidence_does_not_spread_its_outline():
    row, column = np.mgrid[:101, :101] - 50.0
    peak = np.exp(-(row**2 + column**2) / (2 * 6.0**2))
    ripple = 0.2 + 0.01 * np.cos(row) * np.cos(column)
    (on_floor,) = _rings(mass_contour(peak + 0.2, 0.8))
    (alone,) = _rings(mass_contour(peak, 0.8))
    np.testing.assert_allclose(_area(on_floor), _area(alone), rtol=0.02)
    assert len(list(_rings(mass_contour(peak + ripple, 0.5)))) == 1


def test_published_regions_are_the_top_two_percent_or_98_percent_of_the_sum():
    heatmap = np.zeros((10, 10))
    heatmap[2, 3], heatmap[7, 7], heatmap[8, 1] = 50, 48, 2
    assert np.argwhere(heatmap >= region_level(heatmap, "mass98")).tolist() == [[2, 3], [7, 7]]
    assert region_level(heatmap, "percentile98") == np.percentile(heatmap, 98)
    assert region_box(heatmap, "mass98") == (slice(2, 8), slice(3, 8))


def test_the_box_as_published_spans_the_image_when_two_corners_light_up():
    heatmap = np.zeros((20, 20))
    heatmap[0, 0] = heatmap[19, 19] = 1
    assert region_box(heatmap, "mass98") == (slice(0, 20), slice(0, 20))


def test_published_outlines_are_the_region_and_its_box():
    row, column = np.mgrid[:40, :40] - 20.0
    heatmap = np.exp(-(row**2 + column**2) / 50)
    region, box = outlines(heatmap, "percentile98")
    (ring,), (corners,) = list(_rings(region)), list(_rings(box))
    assert _area(ring) == pytest.approx(0.02 * 1600, rel=0.15)
    assert corners.min() <= ring.min() + 0.5
    assert corners.max() >= ring.max() - 0.5
    assert outlines(np.zeros((8, 8)), "mass98") == ("", "")
    assert outlines(heatmap) == tuple(mass_contour(heatmap, share) for share in (0.5, 0.8))
