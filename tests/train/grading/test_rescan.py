import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from spinexplain.config.training import AugmentSettings, InputSpec
from spinexplain.train.grading.augment import augmented_crops, plain_crops
from spinexplain.train.grading.rescan import Rescan, blur, draw_rescan, rescanned, slice_matrix

SPEC = InputSpec(extent_mm=32, size=32)
STILL = dict.fromkeys(AugmentSettings.model_fields, 0.0)


def only(**changed):
    return AugmentSettings(**(STILL | changed))


def as_is(**changed):
    nothing = {"gain": 1.0, "offset_hu": 0.0, "blur_mm": 0.0, "noise_hu": np.zeros((1, 1), "f4")}
    return Rescan(**(nothing | changed))


def test_rescanning_is_gain_about_air_plus_offset(toy_set):
    data, rows = toy_set(), np.arange(60)
    plain = plain_crops(data, rows, SPEC).hu.numpy()
    louder = augmented_crops(data, rows, SPEC, only(gain=0.1, offset_hu=50), 0, 0).hu.numpy()
    for before, after in zip(plain, louder, strict=True):
        gain, offset = np.polyfit(before.ravel() + 1000, after.ravel() + 1000, 1)
        assert 0.9 <= gain <= 1.1
        assert abs(offset) <= 51
        np.testing.assert_allclose((before + 1000) * gain + offset - 1000, after, atol=0.1)


def test_half_of_the_crops_keep_their_noise_and_sharpness(toy_set):
    data, rows = toy_set(), np.arange(60)
    plain = plain_crops(data, rows, SPEC).hu
    noisy = augmented_crops(data, rows, SPEC, only(noise_hu=40), 0, 0).hu
    spread = (noisy - plain).std(dim=(1, 2))
    assert 15 <= int((spread < 1e-3).sum()) <= 45
    assert float(spread.max()) <= 45


def test_blur_equals_scipy_and_leaves_zero_alone():
    from scipy.ndimage import gaussian_filter

    images = np.random.default_rng(0).normal(0, 1, (2, 20, 20)).astype(np.float32)
    blurred = blur(torch.from_numpy(images), np.array([0.0, 1.5])).numpy()
    np.testing.assert_allclose(blurred[0], images[0], atol=1e-6)
    slow = gaussian_filter(images[1], 1.5, mode="nearest", radius=5)
    np.testing.assert_allclose(blurred[1], slow, atol=1e-5)


def test_blur_does_not_know_what_lies_beside_an_image():
    images = torch.from_numpy(np.random.default_rng(1).normal(0, 100, (2, 24, 24)).astype("f4"))
    alone = blur(images[:1], np.array([0.7]))
    beside = blur(images, np.array([0.7, 2.5]))
    np.testing.assert_allclose(beside[0].numpy(), alone[0].numpy(), atol=1e-4)


def test_a_sharp_kernel_is_an_unsharp_mask():
    images = np.random.default_rng(0).normal(0, 100, (2, 24, 24)).astype(np.float32)
    out = rescanned(torch.from_numpy(images), [as_is(), as_is(sharpen=0.8)]).numpy()
    np.testing.assert_allclose(out[0], images[0], atol=1e-3)
    soft = gaussian_filter(images[1], 1.2, mode="nearest", radius=4)
    np.testing.assert_allclose(out[1], images[1] + 0.8 * (images[1] - soft), atol=0.05)


def test_grains_keep_the_noise_and_join_neighbors():
    settings = only(noise_hu=40, noise_grain_mm=3)
    draws = [
        draw_rescan(np.random.default_rng(k), settings, 1.0, (64, 64)).noise_hu for k in range(40)
    ]
    white = only(noise_hu=40)
    plain = [
        draw_rescan(np.random.default_rng(k), white, 1.0, (64, 64)).noise_hu for k in range(40)
    ]
    joined = []
    for grained, fine in zip(draws, plain, strict=True):
        if fine.size == 1:
            assert grained.size == 1
            continue
        assert grained.std() == pytest.approx(fine.std(), rel=0.05)
        joined.append(np.corrcoef(grained[1:].ravel(), grained[:-1].ravel())[0, 1])
    assert max(joined) > 0.8
    assert min(joined) < 0.4


def slow_slices(column, slice_mm, phase):
    """Average a finely divided column slice by slice and draw lines between their middles."""
    fine = 200
    value = np.repeat(column, fine)
    at = (np.arange(value.size) + 0.5) / fine
    number = np.floor(at / slice_mm + phase).astype(int)
    known = np.unique(number)
    means = [value[number == k].mean() for k in known]
    return np.interp(np.arange(len(column)) + 0.5, (known + 0.5 - phase) * slice_mm, means)


@given(st.floats(1.05, 6.0), st.floats(0.0, 0.99), st.integers(8, 40))
def test_slices_equal_their_slow_twin(slice_mm, phase, rows):
    column = np.random.default_rng(rows).normal(0, 100, rows)
    ours = slice_matrix(rows, slice_mm, phase) @ column
    np.testing.assert_allclose(ours, slow_slices(column, slice_mm, phase), atol=8)
    np.testing.assert_allclose(slice_matrix(rows, slice_mm, phase).sum(axis=1), 1, atol=1e-5)


def test_slices_run_along_the_first_axis_and_thin_ones_change_nothing():
    image = torch.zeros(2, 12, 12)
    image[:, 6] = 90.0
    out = rescanned(image, [as_is(slice_mm=0.7), as_is(slice_mm=3.0)]).numpy()
    np.testing.assert_allclose(out[0], image[0], atol=1e-4)
    assert out[1].max() < 40
    np.testing.assert_allclose(out[1], np.repeat(out[1][:, :1], 12, axis=1), atol=1e-3)


def test_settings_left_out_draw_what_they_always_drew(toy_set):
    """New kinds of change must not change the random numbers of the older ones."""
    data, rows = toy_set(), np.arange(8)
    noisy = augmented_crops(data, rows, SPEC, only(noise_hu=40), 3, 1).hu
    plain = plain_crops(data, rows, SPEC).hu
    rng = np.random.default_rng((3, 1, 5))
    rng.uniform(-1, 1, 2 + 2 + 1 + 2 + 1 + 1)  # shift, error, angle, scale and gain, offset, blur
    sd = max(rng.uniform(-1, 1), 0.0) * 40
    noise = rng.standard_normal((32, 32), dtype=np.float32) * np.float32(sd)
    np.testing.assert_allclose(
        (noisy - plain)[5].numpy(), noise if sd > 0 else 0 * noise, atol=0.01
    )
