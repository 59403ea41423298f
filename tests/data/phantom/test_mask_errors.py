import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.mask_errors import (
    CUT_SHARE,
    NOISE_MM,
    SMOOTH_KEEP,
    SMOOTH_MM,
    SURFACE_ERRORS,
    cut,
    levels_of,
    merged,
    noisy,
    pair_to_confuse,
    smooth_and_small,
)
from spinexplain.types import LabelMap

L1, L2, L3 = (VertebraLevel(name) for name in ("L1", "L2", "L3"))
AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])


@pytest.fixture
def two():
    """Two blocks 24 mm high, L1 above L2, 8 mm apart."""
    array = np.zeros((50, 50, 80), np.uint8)
    array[10:40, 10:40, 44:68] = L1.verse_label
    array[10:40, 10:40, 12:36] = L2.verse_label
    return LabelMap(array, AFFINE)


def heights(labels, level):
    return (labels.array == level.verse_label)[15:35, 15:35].sum(axis=2)


def test_a_smooth_mask_loses_its_outermost_layer(two):
    """On a flat face the share of a Gaussian falls to the limit at this depth."""
    found = smooth_and_small(two, np.random.default_rng(0))
    depth = SMOOTH_MM * 0.385  # the standard normal's 0.65 quantile
    assert np.median(heights(found.labels, L1)) == pytest.approx(24 - 2 * depth, abs=1)
    assert SMOOTH_KEEP == 0.65
    assert not (found.labels.array[two.array == 0]).any()
    assert found.levels == {L1, L2}


def test_a_noisy_surface_wanders_by_what_is_said_and_keeps_its_mean(two):
    found = noisy(two, np.random.default_rng(0))
    off = heights(found.labels, L1) - 24.0
    assert abs(off.mean()) < 0.5
    assert off.std() == pytest.approx(NOISE_MM * np.sqrt(2), rel=0.5)
    one = ndimage.label(found.labels.array == L1.verse_label)[0]
    assert np.bincount(one.ravel())[1:].max() > 0.95 * (found.labels.array == L1.verse_label).sum()


@pytest.mark.parametrize("name", SURFACE_ERRORS)
def test_no_label_takes_voxels_of_another(name, two):
    found = SURFACE_ERRORS[name](two, np.random.default_rng(1)).labels.array
    assert not ((found == L1.verse_label) & (two.array == L2.verse_label)).any()
    assert not ((found == L2.verse_label) & (two.array == L1.verse_label)).any()


def test_merged_levels_have_the_upper_ones_label(two):
    found = merged(two, L1, L2)
    assert levels_of(found.labels) == {L1}
    assert (found.labels.array > 0).sum() == (two.array > 0).sum()


def test_a_cut_gives_the_lower_part_to_the_level_below(two):
    found = cut(two, two, L1, L2)
    kept = heights(found.labels, L1)
    assert np.all(kept == pytest.approx(24 * (1 - CUT_SHARE), abs=1.5))
    assert np.all(heights(found.labels, L2) + kept == 48)


def test_a_cut_follows_the_patient_where_the_grid_is_upside_down(two):
    flipped = LabelMap(two.array[:, :, ::-1], np.diag([1.0, 1.0, -1.0, 1.0]))
    found = cut(flipped, flipped, L1, L2)
    np.testing.assert_array_equal(
        found.labels.array[:, :, ::-1] == L1.verse_label,
        cut(two, two, L1, L2).labels.array == L1.verse_label,
    )


def test_a_fracture_is_among_what_is_confused():
    rng = np.random.default_rng(0)
    drawn = {pair_to_confuse([L1, L2, L3], frozenset([L3]), rng) for _ in range(20)}
    assert drawn == {(L2, L3)}
    drawn = {pair_to_confuse([L1, L2, L3], frozenset(), rng) for _ in range(40)}
    assert drawn == {(L1, L2), (L2, L3)}
    assert pair_to_confuse([L1], frozenset(), rng) is None
