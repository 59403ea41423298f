import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.config.training import InputSpec
from spinexplain.errors import ShapeError
from spinexplain.models.input_arrays import center_index, input_array, resized
from spinexplain.models.inputs import to_tensor


@pytest.mark.parametrize("size", [32, 24, 56])
@pytest.mark.parametrize("axes", [2, 3])
def test_the_network_sees_what_torch_would_give_it(patch_of, axes, size):
    spec = InputSpec(
        axes=axes,
        extent_mm=32,
        size=size,
        channels=("wide", "gaussian", "narrow", "wide"),
        windows_hu={"wide": (-500, 1300), "narrow": (-50, 450)},
        mean=0.4,
        std=0.3,
    )
    rng = np.random.default_rng(axes)
    patches = [
        patch_of(rng.normal(100, 400, (32,) * axes), centroid_mm=(0.0, 3.5 * i, -2.0 * i))
        for i in range(3)
    ]
    found = input_array(patches, spec)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, to_tensor(patches, spec).numpy(), atol=5e-5)


def test_no_patches_no_inputs():
    assert input_array([], InputSpec(extent_mm=32, size=16)).shape == (0, 3, 16, 16)


def test_the_gaussian_peaks_on_the_centroid(patch_of):
    spec = InputSpec(
        extent_mm=32, size=32, channels=("gaussian",), gaussian_sigma_mm=2, mean=0, std=1
    )
    patch = patch_of(np.zeros((32, 32)), centroid_mm=(0.0, 4.0, -5.0))
    row, column = center_index(patch)
    peak = np.unravel_index(input_array([patch], spec)[0, 0].argmax(), (32, 32))
    assert abs(peak[0] - row) <= 0.5
    assert abs(peak[1] - column) <= 0.5


@pytest.mark.parametrize("shape", [(16, 16), (32, 32, 32)])
def test_another_extent_or_number_of_axes_is_refused(patch_of, shape):
    with pytest.raises(ShapeError, match=r"must span 32\.0 mm along 2 axes"):
        input_array([patch_of(np.zeros(shape))], InputSpec(extent_mm=32, size=32))


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_resizing_is_torchs_interpolation(shape, size, seed):
    array = np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)
    expected = F.interpolate(
        torch.from_numpy(array)[None, None], size=(size, size), mode="bilinear", align_corners=False
    )[0, 0]
    np.testing.assert_allclose(resized(array, size), expected.numpy(), atol=1e-5)


def test_resizing_keeps_a_constant_and_its_own_size():
    flat = np.full((5, 7), 3.0, np.float32)
    np.testing.assert_allclose(resized(flat, 12), np.full((12, 12), 3.0), rtol=1e-6)
    square = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    assert resized(square, 6) is square
