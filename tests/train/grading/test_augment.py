import numpy as np
import pytest
import torch

from spinexplain.config.training import AugmentSettings, InputSpec
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.train.grading.augment import Crops, augmented_crops, inside_mask, plain_crops

SPEC = InputSpec(extent_mm=32, size=32)
STILL = dict.fromkeys(AugmentSettings.model_fields, 0.0)


def only(**changed):
    return AugmentSettings(**(STILL | changed))


def test_plain_crop_is_the_middle_of_the_stored_patch(toy_set):
    data = toy_set()
    crops = plain_crops(data, np.array([4, 1]), SPEC)
    np.testing.assert_allclose(crops.hu.numpy(), data.patches_hu[[4, 1], 6:-6, 6:-6], atol=1e-2)
    np.testing.assert_array_equal(crops.target.numpy(), data.target[[4, 1], 6:-6, 6:-6])
    np.testing.assert_allclose(crops.centers.numpy(), 15.5, atol=1e-5)


def test_plain_crop_follows_the_centroid(toy_set):
    data = toy_set()
    data.centers[0] += [3, -2]
    crops = plain_crops(data, np.array([0]), SPEC)
    np.testing.assert_allclose(crops.hu[0].numpy(), data.patches_hu[0, 9:41, 4:36], atol=1e-2)


def test_a_row_looks_the_same_in_any_batch_and_another_in_the_next_epoch(toy_set):
    data, settings = toy_set(), AugmentSettings(shift_mm=4)
    alone = augmented_crops(data, np.array([7]), SPEC, settings, seed=1, epoch=2)
    among = augmented_crops(data, np.array([3, 7, 9]), SPEC, settings, seed=1, epoch=2)
    torch.testing.assert_close(alone.hu[0], among.hu[1], atol=1e-2, rtol=1e-5)
    later = augmented_crops(data, np.array([7]), SPEC, settings, seed=1, epoch=3)
    assert not torch.allclose(alone.hu, later.hu, atol=1.0)


def test_same_key_same_bits(toy_set):
    data, rows = toy_set(), np.arange(8)
    one, two = (augmented_crops(data, rows, SPEC, AugmentSettings(), 1, 2) for _ in range(2))
    assert torch.equal(one.hu, two.hu)
    assert torch.equal(one.centers, two.centers)


@pytest.mark.parametrize("axes", [2, 3])
def test_gaussian_stays_on_the_bone_wherever_the_crop_moves(axes):
    """A single bright sample at the centroid must be found at the said centre."""
    hu = np.full((6,) + (45,) * axes, 0, np.int16)
    hu[(slice(None),) + (22,) * axes] = 1000
    names = np.array(["a"] * 6)
    data = TrainingSet(hu, np.zeros(6, int), names, names, names, np.full((6, axes), 22.0))
    spec = InputSpec(axes=axes, extent_mm=32, size=32)
    settings = only(shift_mm=5, rotate_deg=15, scale=0.1)
    crops = augmented_crops(data, np.arange(6), spec, settings, seed=0, epoch=0)
    for image, center in zip(crops.hu.numpy(), crops.centers.numpy(), strict=True):
        weight = image.clip(0)
        found = [np.average(axis, weights=weight) for axis in np.indices(weight.shape)]
        np.testing.assert_allclose(found, center, atol=0.4)
    assert np.ptp(crops.centers.numpy(), axis=0).min() > 1


def test_centroid_error_is_bounded_and_moves_the_gaussian_only(toy_set):
    data = toy_set()
    crops = augmented_crops(data, np.arange(60), SPEC, only(centroid_error_mm=3), 0, 0)
    error = crops.centers.numpy() - 15.5
    assert 2 < np.abs(error).max() <= 3
    np.testing.assert_allclose(crops.hu.numpy(), plain_crops(data, np.arange(60), SPEC).hu.numpy())


def test_front_stays_in_front(toy_set):
    """No draw mirrors the sheet: the missing front of G3 stays on the left."""
    data = toy_set()
    rows = np.flatnonzero(data.grades == 3)
    for epoch in range(3):
        crops = augmented_crops(data, rows, SPEC, AugmentSettings(shift_mm=2), 0, epoch)
        inside = crops.target.numpy() > 0.5
        columns = np.indices(inside.shape)[2] - crops.centers.numpy()[:, 1, None, None]
        for image, body, column in zip(crops.hu.numpy(), inside, columns, strict=True):
            assert image[body & (column < -2)].mean() < image[body & (column > 2)].mean()


def test_evidence_belongs_on_the_fracture_where_it_is_known_and_on_the_body_elsewhere():
    body = torch.zeros(2, 4, 4)
    body[:, 1:3, 1:3] = 1
    evidence = torch.zeros(2, 4, 4)
    evidence[1, 1, 1:3] = 1
    crops = Crops(torch.zeros(2, 4, 4), torch.zeros(2, 2), body, evidence)
    assert torch.equal(inside_mask(crops, "body"), body)
    assert torch.equal(inside_mask(crops, "evidence"), torch.stack([body[0], evidence[1]]))
    assert inside_mask(Crops(crops.hu, crops.centers, None, None), "evidence") is None
    bare = Crops(crops.hu, crops.centers, body, None)
    assert torch.equal(inside_mask(bare, "evidence"), body)
