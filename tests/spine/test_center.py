from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.geometry import apply_affine
from spinexplain.spine.center import (
    _axial_depth_mm,
    _part_centers,
    axial_centers,
    choose_centers,
    crop_affine,
    deep_centers,
)


@pytest.mark.parametrize("find", [axial_centers, deep_centers])
@pytest.mark.parametrize(
    ("radius", "spacing"), [(12.0, (1, 1, 1)), (8.0, (0.5, 0.5, 0.5)), (12.0, (2, 2, 5))]
)
def test_a_ball_is_centerd_whatever_its_size_and_grid(find, radius, spacing):
    grid = np.indices((40, 40, 40)).transpose(1, 2, 3, 0) * np.array(spacing)
    center = grid.reshape(-1, 3).mean(axis=0) + 0.2
    ball = np.linalg.norm(grid - center, axis=-1) < radius
    found = find(ball, np.diag([*spacing, 1.0]))
    assert np.linalg.norm(found[0] - center) < 0.3 * max(spacing)


def test_the_body_is_preferred_to_a_larger_but_thin_arch():
    mask = np.zeros((60, 60, 30), bool)
    mask[20:40, 35:55, 5:25] = True  # body, 20 mm cube
    mask[2:58, 28:36, :] = True  # plate of 8 mm, larger than the body
    center = np.array([29.5, 44.5, 14.5])
    assert np.linalg.norm(np.argwhere(mask).mean(axis=0) - center) > 5
    assert np.linalg.norm(axial_centers(mask, np.eye(4))[0] - center) < 4


def test_a_sheared_grid_gives_the_same_center():
    grid = np.indices((60, 60, 60)).transpose(1, 2, 3, 0).astype(float)
    affine = np.eye(4)
    affine[1, 2] = np.tan(np.radians(20))
    world = apply_affine(affine, grid)
    center = np.array([30.0, 40.0, 30.0])
    box = np.all(np.abs(world - center) < (15, 12, 10), axis=-1)
    found = axial_centers(box, affine)[0]
    np.testing.assert_allclose(found, center, atol=0.6)


def test_fine_masks_are_subsampled_without_a_shift():
    grid = np.indices((90, 90, 90)).transpose(1, 2, 3, 0) * 0.3
    mask = np.linalg.norm(grid - 13.0, axis=-1) < 10
    np.testing.assert_allclose(axial_centers(mask, np.diag([0.3] * 3 + [1]))[0], 13, atol=0.15)


def test_a_mask_without_depth_still_has_a_candidate():
    plate = np.ones((20, 20, 1), bool)
    np.testing.assert_allclose(axial_centers(plate, np.eye(4))[0], (9.5, 9.5, 0), atol=0.6)


def test_crop_affine_moves_the_origin_along_the_axes():
    affine = np.array([[0, 0, 2.0, 5], [1.0, 0, 0, 6], [0, 3.0, 0, 7], [0, 0, 0, 1]])
    box = (slice(1, 4), slice(2, 4), slice(3, 9))
    np.testing.assert_array_equal(
        apply_affine(crop_affine(affine, box), np.zeros(3)),
        apply_affine(affine, np.array([1.0, 2.0, 3.0])),
    )


def _arc(n: int) -> np.ndarray:
    angle = np.linspace(0, 0.8, n)
    return np.stack([np.zeros(n), -200 * np.cos(angle), -200 * np.sin(angle)], axis=1)


def _nothing_else(_: int) -> np.ndarray:
    return np.empty((0, 3))


@pytest.mark.parametrize("wrong", [0, 3, 6])
def test_an_off_curve_center_is_exchanged_for_its_candidate_on_the_curve(wrong):
    line = _arc(7)
    likeliest = [point[None] for point in line]
    likeliest[wrong] = line[wrong][None] - (0, 30, 0)
    asked = []

    def others(index: int) -> np.ndarray:
        asked.append(index)
        return line[index] + np.array([[0, 50, 0], [2, 0, 0]])

    centers, off = choose_centers(likeliest, others)
    np.testing.assert_allclose(centers[wrong], line[wrong] + (2, 0, 0))
    assert asked == [wrong]
    assert off.max() < 6


def test_an_off_curve_center_without_a_better_candidate_blames_nobody_else():
    likeliest = [point[None] for point in _arc(7)]
    likeliest[0] = likeliest[0] - (0, 40, 0)
    _, off = choose_centers(likeliest, _nothing_else)
    assert off[0] > 30
    assert off[1:].max() < 6


def test_three_vertebrae_are_too_few_to_judge_by():
    likeliest = [point[None] + (0, 40 * (i == 1), 0) for i, point in enumerate(_arc(3))]
    assert choose_centers(likeliest, _nothing_else)[1].tolist() == [0, 0, 0]


def test_specks_have_a_center_too():
    speck = np.ones((1, 1, 1), bool)
    fine = np.diag([0.3, 0.3, 0.3, 1.0])
    np.testing.assert_allclose(axial_centers(speck, fine), np.zeros((1, 3)), atol=0.3)
    assert deep_centers(speck, fine).shape == (0, 3)


@pytest.mark.parametrize("axial", [0, 1, 2])
def test_axial_depth_is_the_distance_in_space_between_slices_far_apart(axial):
    rng = np.random.default_rng(axial)
    mask = ndimage.binary_opening(rng.random((24, 22, 20)) < 0.8, iterations=1)
    mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
    mask[8:12] = False  # planes without bone
    spacing = np.array([0.7, 0.9, 1.3])
    apart = spacing.copy()
    apart[axial] = 1e6
    np.testing.assert_array_equal(
        _axial_depth_mm(mask, spacing, axial), ndimage.distance_transform_edt(mask, sampling=apart)
    )


def test_part_centers_agree_with_scipy():
    core = np.random.default_rng(0).random((12, 13, 14)) < 0.2
    parts, count = ndimage.label(core)
    sizes = np.bincount(parts.ravel())[1:]
    kept = [i + 1 for i in np.argsort(-sizes, kind="stable") if sizes[i] >= 0.05 * sizes.max()]
    assert 2 < len(kept) < count
    np.testing.assert_array_equal(_part_centers(core), ndimage.center_of_mass(core, parts, kept))
    assert _part_centers(np.zeros((3, 3, 3), bool)).shape == (0, 3)
