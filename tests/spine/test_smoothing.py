import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate1d

from spinexplain.spine.smoothing import discrete_gaussian, smoothed, smoothing_sigmas
from spinexplain.types import Volume


@given(st.floats(0.05, 4.0))
@settings(max_examples=50, deadline=None)
def test_the_kernel_has_its_variance_and_no_gain(sigma):
    kernel = discrete_gaussian(sigma)
    reach = len(kernel) // 2
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel[::-1])
    variance = (kernel * np.arange(-reach, reach + 1) ** 2).sum()
    assert variance == pytest.approx(sigma**2)
    assert kernel.min() > 0


def test_only_axes_finer_than_the_patch_are_smoothed():
    volume = Volume(np.zeros((2, 2, 2)), np.diag([0.5, 1.0, 2.0, 1]))
    sigmas = smoothing_sigmas(volume, 1.0)
    assert sigmas[0] * 0.5 == pytest.approx(np.sqrt((1 - 0.25) / (8 * np.log(2))))
    assert sigmas[1:].tolist() == [0, 0]
    assert smoothing_sigmas(volume, 0.5).tolist() == [0, 0, 0]


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8])
def test_equals_one_correlation_an_axis(layout, dtype):
    array = np.random.default_rng(0).uniform(0, 250, (40, 50, 60)).astype(dtype, order=layout)
    kernels = [discrete_gaussian(sigma) for sigma in (0.8, 0.0, 1.7)]
    expected = array.astype(float)
    for axis, kernel in enumerate(kernels):
        reach = len(kernel) // 2
        expected = correlate1d(expected, kernel, axis)
        kept = slice(reach, expected.shape[axis] - reach)
        expected = expected[(slice(None),) * axis + (kept,)]
    result = smoothed(array, kernels)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    assert result.dtype == np.float32
