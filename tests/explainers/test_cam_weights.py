"""The weights of the three methods against slow NumPy twins written from their equations."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spinexplain.explainers.cam_weights import CAM_METHODS, weighted_map

METHODS = sorted(CAM_METHODS)
GRIDS = [(5,), (3, 4), (2, 3, 4)]


def slow_gradcam_weight(a, g):
    """Grad-CAM: 1 / Z times the sum of dS/dA over all cells."""
    return sum(g[cell] for cell in np.ndindex(a.shape)) / a.size


def slow_gradcam_plus_plus_weight(a, g, logit=0.7):
    """Grad-CAM++ with Y = exp(S), its second and third derivative written out."""
    y, weight = np.exp(logit), 0.0
    for cell in np.ndindex(a.shape):
        first, second, third = y * g[cell], y * g[cell] ** 2, y * g[cell] ** 3
        total = sum(a[other] * third for other in np.ndindex(a.shape))
        denominator = 2 * second + total
        alpha = second / denominator if denominator > 0 else 0.0
        weight += alpha * max(first, 0.0)
    return weight / y


def slow_xgradcam_weight(a, g):
    """XGrad-CAM: the activation's share of its channel times dS/dA, summed."""
    total = sum(a[cell] for cell in np.ndindex(a.shape))
    if total == 0:
        return 0.0
    return sum(a[cell] / total * g[cell] for cell in np.ndindex(a.shape))


SLOW = {
    "gradcam": slow_gradcam_weight,
    "gradcam++": slow_gradcam_plus_plus_weight,
    "xgradcam": slow_xgradcam_weight,
}


def slow_map(a, g, method):
    """Add channels cell by cell, keep what is positive; one sample (C, *G)."""
    out = np.zeros(a.shape[1:])
    for cell in np.ndindex(out.shape):
        total = sum(SLOW[method](a[c], g[c]) * a[c][cell] for c in range(len(a)))
        out[cell] = max(total, 0.0)
    return out


def fast_map(a, g, method):
    a, g = torch.from_numpy(a), torch.from_numpy(g)
    return weighted_map(a, CAM_METHODS[method].weights(a, g)).numpy()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grid", GRIDS)
def test_maps_agree_with_the_slow_twin(method, grid):
    rng = np.random.default_rng(0)
    a = np.maximum(rng.normal(size=(2, 3, *grid)), 0)
    g = rng.normal(size=a.shape)
    expected = np.stack([slow_map(a[n], g[n], method) for n in range(2)])
    np.testing.assert_allclose(fast_map(a, g, method), expected, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_any_order_of_axes_gives_the_same_map_in_that_order(method):
    rng = np.random.default_rng(1)
    a, g = np.abs(rng.normal(size=(1, 4, 2, 3, 5))), rng.normal(size=(1, 4, 2, 3, 5))
    straight = fast_map(a, g, method)[0]
    for order in itertools.permutations(range(3)):
        moved = [np.ascontiguousarray(x.transpose(0, 1, *(2 + o for o in order))) for x in (a, g)]
        np.testing.assert_allclose(fast_map(*moved, method)[0], straight.transpose(order))


numbers = st.sampled_from([0.0, 0.0, 1e-30, 1e-6, 0.5, 3.0, 1e6])
signs = st.sampled_from([-1.0, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    rectified=st.booleans(),
    values=st.lists(st.tuples(numbers, signs, numbers, signs), min_size=8, max_size=8),
)
def test_maps_are_finite_and_not_negative_whatever_comes_in(method, rectified, values):
    sizes = np.array(values, np.float32)
    a = (sizes[:, 0] * (1 if rectified else sizes[:, 1])).reshape(1, 2, 2, 2)
    g = (sizes[:, 2] * sizes[:, 3]).reshape(1, 2, 2, 2)
    out = fast_map(a, g, method)
    assert np.isfinite(out).all()
    assert (out >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_active_or_nothing_derived_gives_a_map_of_zeros(method):
    some, none = np.ones((1, 2, 3, 3), np.float32), np.zeros((1, 2, 3, 3), np.float32)
    assert (fast_map(none, some, method) == 0).all()
    assert (fast_map(some, none, method) == 0).all()


def test_xgradcam_sums_to_the_logit_without_its_bias_before_rectification():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    x = torch.rand(1, 1, 8, 8)
    features = net[:2](x).detach().requires_grad_()
    logit = net[2:](features)[0, 1]
    (gradient,) = torch.autograd.grad(logit, features)
    weights = CAM_METHODS["xgradcam"].weights(features, gradient)
    total = (features * weights[..., None, None]).sum()
    torch.testing.assert_close(total, logit - net[3].bias[1])
