"""Masks on the grid of their scan: no plane is lost, nothing is moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from spinexplain.errors import GeometryError
from spinexplain.geometry import apply_affine
from spinexplain.spine.grids import match_grid, same_extent, same_grid, shift_voxels
from spinexplain.types import LabelMap, Volume


def _scan_of(mask):
    return Volume(np.zeros(mask.array.shape, np.int16), mask.affine)


def slow_match(labels, volume):
    """Look every voxel's label up, one by one; up to 0.05 voxels past the border."""
    out = np.zeros(volume.array.shape, labels.array.dtype)
    to_mask = np.linalg.inv(labels.affine) @ volume.affine
    for ijk in np.ndindex(*volume.array.shape):
        at = apply_affine(to_mask, np.array(ijk, float))
        if np.all((at >= -0.55) & (at <= np.array(labels.array.shape) - 0.45)):
            out[ijk] = labels.array[
                tuple(np.clip(np.rint(at), 0, np.array(labels.array.shape) - 1).astype(int))
            ]
    return out


def test_the_same_grid_is_returned_as_it_is(verse004):
    assert match_grid(verse004, _scan_of(verse004)) is verse004


def test_another_grid_is_resampled_to_the_nearest_neighbor(verse004, regrid):
    coarse = regrid(verse004, (3, 3, 3), shift_mm=(4, 5, 6))
    matched = match_grid(verse004, _scan_of(coarse))
    np.testing.assert_array_equal(matched.array, coarse.array)
    np.testing.assert_array_equal(matched.affine, coarse.affine)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.permutations([0, 1, 2]),
    st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3),
    st.tuples(*[st.sampled_from([0.5, 1.0, 1.5, 2.0])] * 3),
)
def test_any_order_of_axes_agrees_with_a_slow_search(seed, axes, signs, steps):
    rng = np.random.default_rng(seed)
    labels = LabelMap(rng.integers(0, 5, (5, 6, 7)), np.eye(4))
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[:, axes] * signs) * steps
    affine[:3, 3] = rng.uniform(0.1, 3.9, 3)
    volume = Volume(np.zeros((6, 5, 4), np.int16), affine)
    expected = slow_match(labels, volume)
    if expected.any():
        np.testing.assert_array_equal(match_grid(labels, volume).array, expected)


@pytest.mark.parametrize("turned", [False, True])
def test_rounding_of_an_affine_loses_no_outer_plane(turned):
    array = np.ones((6, 7, 8), np.uint8)
    affine = np.diag([0.7, 0.8, 3.0, 1.0])
    affine[:3, 3] = [-123.4567, 88.0001, 1000.3]
    flip = np.diag([-1.0, -1, 1, 1])
    flip[:2, 3] = [5, 6]
    rounded = (affine @ flip).astype(np.float32).astype(float)
    if turned:  # neither grid runs along the other
        angle = np.radians(20)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        affine, rounded = turn @ affine, turn @ rounded
    matched = match_grid(LabelMap(array, affine), Volume(np.zeros(array.shape), rounded))
    assert matched.array.all()


def test_frames_that_do_not_overlap_are_refused_with_both_extents(verse004):
    far = verse004.affine.copy()
    far[2, 3] += 5000
    with pytest.raises(GeometryError, match=r"the mask spans .* the scan \["):
        match_grid(verse004, Volume(np.zeros((5, 5, 5)), far))


def test_a_scan_that_misses_every_labeled_voxel_is_refused(verse004):
    corner = Volume(np.zeros((3, 3, 3)), verse004.affine)
    with pytest.raises(GeometryError, match="do not overlap"):
        match_grid(verse004, corner)


def test_one_box_in_another_order_of_axes_is_the_same_extent():
    mask = LabelMap(np.zeros((4, 5, 6), int), np.eye(4))
    flipped = np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = 3
    volume = Volume(np.zeros((4, 5, 6)), flipped)
    assert not same_grid(mask, volume)
    assert same_extent(mask, volume, 0.1)
    moved = Volume(np.zeros((4, 5, 6)), np.eye(4) + 2 * np.eye(4, k=3))
    assert shift_voxels(mask, moved) == 2.0
    assert not same_extent(mask, moved)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_mask_on_any_grid_is_resampled_as_if_whole(seed):
    rng = np.random.default_rng(seed)
    array = np.zeros(rng.integers(3, 12, 3), np.uint8)
    low = rng.integers(0, np.array(array.shape))
    array[tuple(slice(i, i + n) for i, n in zip(low, rng.integers(1, 6, 3), strict=True))] = 20
    mask = LabelMap(array, _any_affine(rng))
    scan = Volume(np.zeros(rng.integers(3, 25, 3), np.int16), _any_affine(rng))
    back = np.linalg.inv(mask.affine) @ scan.affine
    whole = ndimage.affine_transform(
        array,
        back[:3, :3],
        back[:3, 3],
        output_shape=scan.array.shape,
        order=0,
        mode="grid-constant",
    )
    if not whole.any():
        with pytest.raises(GeometryError, match="do not overlap"):
            match_grid(mask, scan)
        return
    np.testing.assert_array_equal(match_grid(mask, scan).array, whole)


def _any_affine(rng):
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * rng.uniform(0.5, 3, 3)
    affine[:3, 3] = rng.uniform(-6, 0, 3)
    return affine
