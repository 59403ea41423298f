import numpy as np
import pytest
import torch

from spinexplain.config.training import InputSpec
from spinexplain.errors import ShapeError
from spinexplain.models.inputs import gaussian_plane, network_input, to_tensor

SPEC = InputSpec(extent_mm=32, size=32, mean=0.0, std=1.0, windows_hu={"ct": (-100.0, 300.0)})


def test_window_is_scaled_and_clipped(patch_of):
    hu = np.full((32, 32), 100.0)
    hu[0, 0], hu[0, 1] = -500, 900
    x = to_tensor([patch_of(hu)], SPEC)
    assert x.shape == (1, 3, 32, 32)
    assert x[0, 0, 5, 5] == 0.5
    assert (x[0, 0, 0, 0], x[0, 0, 0, 1]) == (0, 1)
    assert torch.equal(x[0, 0], x[0, 1])


def test_normalization_comes_last(patch_of):
    spec = SPEC.model_copy(update={"mean": 0.5, "std": 0.25})
    x = to_tensor([patch_of(np.full((32, 32), 300.0))], spec)
    assert x[0, 0, 3, 3] == 2.0


def test_gaussian_equals_its_formula():
    centers = torch.tensor([[10.0, 20.0]])
    plane = gaussian_plane(centers, (32, 32), SPEC)[0].numpy()
    rows, columns = np.mgrid[:32, :32]
    slow = np.exp(-0.5 * ((rows - 10) ** 2 + (columns - 20) ** 2) / SPEC.gaussian_sigma_mm**2)
    np.testing.assert_allclose(plane, slow, rtol=1e-5)


def test_gaussian_keeps_its_place_when_the_input_is_upsampled():
    spec = SPEC.model_copy(update={"size": 64})
    plane = gaussian_plane(torch.tensor([[10.0, 20.0]]), (32, 32), spec)[0].numpy()
    weights = plane / plane.sum()
    # sample 10 covers 10 to 11 mm, pixels 20 and 21 of the finer grid
    top = np.argwhere(plane > plane.max() - 1e-6)
    np.testing.assert_allclose(top.mean(axis=0), [20.5, 40.5])
    assert weights.sum() == pytest.approx(1.0)


def test_gaussian_marks_the_centroid_not_the_middle_of_the_patch(patch_of):
    # RAS+: 5 mm towards anterior is 5 columns less, 3 mm towards caudal 3 rows more
    patch = patch_of(np.zeros((32, 32)), centroid_mm=(0.0, 5.0, -3.0))
    bump = to_tensor([patch], SPEC)[0, 2].numpy()
    top = np.argwhere(bump > bump.max() - 1e-6).mean(axis=0)
    np.testing.assert_allclose(top, [15.5 + 3, 15.5 - 5])


def test_three_axes(patch_of):
    spec = SPEC.model_copy(update={"axes": 3, "size": 16})
    x = to_tensor([patch_of(np.zeros((32, 32, 32)))], spec)
    assert x.shape == (1, 3, 16, 16, 16)
    assert float(x[0, 2, 7, 8, 7]) == pytest.approx(float(x[0, 2].max()))


def test_wrong_extent_names_level_and_sizes(patch_of):
    with pytest.raises(ShapeError, match=r"L1 must span 32.0 mm along 2 axes; got \[40.0, 32.0\]"):
        to_tensor([patch_of(np.zeros((40, 32)))], SPEC)
    with pytest.raises(ShapeError, match="2 axes"):
        to_tensor([patch_of(np.zeros((32, 32, 32)))], SPEC)


def test_batch_equals_single_patches(patch_of):
    rng = np.random.default_rng(0)
    patches = [patch_of(rng.normal(0, 100, (32, 32))) for _ in range(3)]
    batch = to_tensor(patches, SPEC)
    for patch, row in zip(patches, batch, strict=True):
        assert torch.equal(to_tensor([patch], SPEC)[0], row)


def test_each_channel_has_its_window():
    spec = InputSpec(
        extent_mm=8,
        size=8,
        mean=0,
        std=1,
        channels=("wide", "gaussian", "narrow"),
        windows_hu={"wide": (-1000.0, 1000.0), "narrow": (0.0, 100.0)},
    )
    x = network_input(torch.full((1, 8, 8), 50.0), torch.full((1, 2), 3.5), spec)
    assert (float(x[0, 0, 0, 0]), float(x[0, 2, 0, 0])) == pytest.approx((0.525, 0.5))
