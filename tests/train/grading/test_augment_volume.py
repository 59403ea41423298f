"""Boxes: exact where nothing is changed, placed where the numbers say, mirrored one way only."""

import numpy as np
import pytest
import torch

from spinexplain.config.sections import VolumeAugmentSettings
from spinexplain.config.training import InputSpec
from spinexplain.train.grading.augment import cut_to_input, plain_crops
from spinexplain.train.grading.augment_volume import draw_volume, volume_crops

SPEC = InputSpec(axes=3, extent_mm=16, size=16, channels=("ct",), mean=0, std=1)
STILL = dict(
    shift_mm=0,
    rotate_deg=(0, 0, 0),
    scale=0,
    elastic_mm=0,
    mirror=False,
    noise_hu=0,
    blur_mm=0,
    contrast=0,
)


def settings(**changes):
    return VolumeAugmentSettings(**STILL | changes)


def crops(data, changes, epoch=0, row=0, copy=0, masks=False):
    chosen = settings(**changes)
    return volume_crops(data, np.array([row]), SPEC, chosen, (3, epoch), np.array([copy]), masks)


def test_without_changes_it_is_the_plain_crop(boxes):
    data = boxes()
    rows = np.arange(4)
    got = volume_crops(data, rows, SPEC, settings(), (0, 0), np.zeros(4, int), masks=True)
    plain = plain_crops(data, rows, SPEC)
    torch.testing.assert_close(got.hu, plain.hu, atol=0.01, rtol=0)
    torch.testing.assert_close(got.centers, plain.centers)
    assert torch.equal(got.target, plain.target)


@pytest.mark.parametrize("moved", [0.0, 0.25, 9.0])
def test_copied_boxes_are_the_interpolated_ones(boxes, moved, monkeypatch):
    """On the samples, between them, and beyond the stored box."""
    data, rows = boxes(), np.arange(4)
    data.centers[1] += moved
    got = plain_crops(data, rows, SPEC)
    copied = volume_crops(data, rows, SPEC, settings(), (0, 0), np.zeros(4, int), masks=True)
    for module in ("augment", "augment_volume"):
        monkeypatch.setattr(f"spinexplain.train.grading.{module}.whole_windows", lambda *_: None)
    slow = volume_crops(data, rows, SPEC, settings(), (0, 0), np.zeros(4, int), masks=True)
    for crop in (got, copied):
        torch.testing.assert_close(crop.hu, slow.hu, atol=0.01, rtol=0)
        torch.testing.assert_close(crop.centers, slow.centers)
    whole = np.array([0, 2, 3]) if moved == 0.25 else rows
    assert torch.equal(copied.target[whole], slow.target[whole])


def test_boxes_cut_to_the_input_give_the_same_crops(boxes):
    data, rows = boxes(), np.arange(4)
    data.centers[:] += [1, -2, 3]
    cut = cut_to_input(data, SPEC)
    assert cut.patches_hu.shape == (len(data), 16, 16, 16)
    want = plain_crops(data, rows, SPEC)
    got = plain_crops(cut, rows, SPEC)
    assert torch.equal(got.hu, want.hu)
    assert torch.equal(got.centers, want.centers)
    data.centers[2] += 0.25
    assert cut_to_input(data, SPEC) is data


def test_a_box_follows_a_centroid_off_the_middle(boxes):
    data = boxes()
    data.centers[:] += [1, -2, 3]
    got = crops(data, {})
    torch.testing.assert_close(got.hu, plain_crops(data, np.array([0]), SPEC).hu, atol=0.01, rtol=0)
    assert got.centers[0].tolist() == [7.5, 7.5, 7.5]


def test_numbers_are_a_function_of_seed_epoch_row_and_copy(boxes):
    data, every = boxes(), {"shift_mm": 3, "noise_hu": 20, "elastic_mm": 1, "blur_mm": 1}
    first = crops(data, every).hu
    assert torch.equal(first, crops(data, every).hu)
    for change in ({"epoch": 1}, {"copy": 1}):
        assert not torch.equal(first, crops(data, every, **change).hu)


def test_center_is_where_the_centroid_went(boxes):
    """A bright voxel on the centroid ends where ``centers`` says, whatever was done."""
    data = boxes()
    data.patches_hu[:] = -1000
    data.patches_hu[:, 11:13, 11:13, 11:13] = 1000
    every = {"shift_mm": 4, "rotate_deg": (20, 20, 20), "scale": 0.2, "mirror": True}
    for epoch in range(8):
        got = crops(data, every, epoch)
        weight = (got.hu[0] + 1000).double()
        grid = torch.meshgrid(*[torch.arange(16.0, dtype=torch.float64)] * 3, indexing="ij")
        found = torch.stack([(axis * weight).sum() / weight.sum() for axis in grid])
        torch.testing.assert_close(found.float(), got.centers[0], atol=0.35, rtol=0)


def test_mirroring_swaps_left_and_right_and_nothing_else(boxes):
    data = boxes()
    plain = crops(data, {}, masks=True)
    seen = set()
    for epoch in range(12):
        got = crops(data, {"mirror": True}, epoch, masks=True)
        mirrored = torch.allclose(got.hu, plain.hu.flip(3), atol=0.01)
        assert mirrored or torch.allclose(got.hu, plain.hu, atol=0.01)
        assert torch.equal(got.target, plain.target.flip(3) if mirrored else plain.target)
        seen.add(mirrored)
    assert seen == {True, False}


def test_scaling_is_one_factor_for_all_axes(boxes):
    data = boxes()
    axes = np.indices(data.patches_hu.shape[1:]) - 11.5
    for epoch in range(3):
        factors = []
        for axis in axes:
            data.patches_hu[0] = np.rint(100 * axis)
            got = crops(data, {"scale": 0.3}, epoch).hu[0]
            line = got.movedim(int(np.argmax(np.ptp(axis, axis=0).max() == 0)), 0)
            factors.append(float(line.max() - line.min()) / 1500)
        assert factors == pytest.approx([factors[0]] * 3, rel=1e-3)
        assert factors[0] == pytest.approx(
            draw_volume(settings(scale=0.3), 16, (3, epoch, 0, 0)).scale, rel=1e-2
        )


def test_displacements_are_as_large_and_as_smooth_as_asked():
    """Standard deviation and the correlation length of a Gaussian-smoothed field."""
    chosen = settings(elastic_mm=2.0, elastic_smooth_mm=4.0)
    ratios, lags = [], []
    for epoch in range(40):
        draw = draw_volume(chosen, 32, (0, epoch, 0, 0))
        field = draw.displacement_mm
        ratios.append(float(field.square().mean()))
        lag = field[:, :, :, 1:] * field[:, :, :, :-1]
        lags.append(float(lag.mean()))
    # elastic sizes are uniform in 0..2 mm: the mean square is 4 / 3
    assert np.mean(ratios) == pytest.approx(4 / 3, rel=0.4)
    cell = 4.0 / 1.5
    assert np.mean(lags) / np.mean(ratios) == pytest.approx(np.exp(-((cell / 8.0) ** 2)), abs=0.1)


def test_intensities_change_within_their_ranges(boxes):
    data = boxes()
    plain, spread = crops(data, {}).hu, []
    for epoch in range(6):
        noisy = crops(data, {"noise_hu": 50}, epoch).hu
        assert 0 < float((noisy - plain).std()) < 55
        contrast = crops(data, {"contrast": 0.5}, epoch).hu
        torch.testing.assert_close(contrast.amin(), plain.amin(), atol=0.5, rtol=0)
        torch.testing.assert_close(contrast.amax(), plain.amax(), atol=0.5, rtol=0)
        spread.append(float(crops(data, {"blur_mm": 2}, epoch).hu.std()))
    assert max(spread) <= float(plain.std()) * 1.0001
    assert min(spread) < 0.9 * float(plain.std())


def test_share_zero_leaves_everything_alone(boxes):
    data = boxes()
    chosen = VolumeAugmentSettings(share=0, mirror=False)
    got = volume_crops(data, np.arange(3), SPEC, chosen, (0, 0), np.zeros(3, int))
    torch.testing.assert_close(got.hu, plain_crops(data, np.arange(3), SPEC).hu, atol=0.01, rtol=0)
