import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.explainers.attribution import (
    blurred_patch,
    explain_integrated_gradients,
    explain_occlusion,
)
from spinexplain.models.grader import Grader
from spinexplain.models.input_arrays import input_array

SPEC = {
    2: InputSpec(extent_mm=32, size=32, channels=("ct", "gaussian")),
    3: InputSpec(axes=3, extent_mm=32, size=32, channels=("ct",)),
}


class Weighted(nn.Module):
    """A logit that is a weighted sum of the image: its attributions are known."""

    def __init__(self, shape):
        super().__init__()
        drawn = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
        self.weights = nn.Parameter(drawn)

    def forward(self, x):
        return torch.einsum("nc...,kc...->nk", x, self.weights)


def linear_grader(axes):
    channels = len(SPEC[axes].channels)
    return Grader.from_module(
        Weighted((channels, *(32,) * axes)), SPEC[axes], ("no fracture", "fracture")
    )


@pytest.mark.parametrize("axes", [2, 3])
def test_of_a_linear_network_gradients_are_weights_times_difference(axes, random_patch):
    grader, patch = linear_grader(axes), random_patch(axes)
    item = explain_integrated_gradients(grader, patch, "fracture").evidence[0]
    image, baseline = input_array([patch, blurred_patch(patch)], grader.spec)
    weights = grader.model.weights[1].detach().numpy()
    expected = ((image - baseline) * weights).sum(axis=0)
    assert np.allclose(item.heatmap, np.clip(expected, 0, None), atol=1e-4)
    assert item.terms["missing"] == pytest.approx(0, abs=2e-3)
    assert item.score == pytest.approx(float(np.clip(expected, 0, None).sum()), rel=1e-3)


@pytest.mark.parametrize("axes", [2, 3])
def test_of_a_linear_network_occlusion_is_the_windows_sum(axes, random_patch):
    """Windows that do not overlap: each sample shows what its whole window takes away."""
    grader, patch = linear_grader(axes), random_patch(axes)
    item = explain_occlusion(grader, patch, "fracture", window_mm=16, stride_mm=16).evidence[0]
    image, baseline = input_array([patch, blurred_patch(patch)], grader.spec)
    weights = grader.model.weights[1].detach().numpy()
    window = (slice(0, 16),) * axes
    taken = ((image - baseline) * weights)[(slice(None), *window)].sum()
    assert item.heatmap[window] == pytest.approx(max(taken, 0), abs=1e-3)


@pytest.mark.parametrize("explain", [explain_integrated_gradients, explain_occlusion])
def test_on_a_network_of_half_the_resolution_maps_lie_on_the_patch(explain, random_patch):
    spec = InputSpec(extent_mm=32, size=16, channels=("ct", "gaussian"))
    grader = Grader.from_module(Weighted((2, 16, 16)), spec, ("no fracture", "fracture"))
    item = explain(grader, random_patch(2), "fracture").evidence[0]
    assert item.heatmap.shape == (32, 32)
    assert item.heatmap.min() >= 0


def test_the_marker_of_the_target_is_not_evidence(random_patch):
    """A network that reads the Gaussian channel alone has nothing to show in the image."""
    grader = linear_grader(2)
    with torch.no_grad():
        grader.model.weights[:, 0] = 0
    for explain in (explain_integrated_gradients, explain_occlusion):
        assert explain(grader, random_patch(2), "fracture").evidence[0].score == 0


def test_it_works_while_grading_switches_gradients_off(random_patch):
    with torch.inference_mode():
        found = explain_integrated_gradients(linear_grader(2), random_patch(2), "fracture")
    assert found.evidence[0].score > 0


def test_an_unknown_class_is_refused(random_patch):
    with pytest.raises(ModelError, match='no class "G9"'):
        explain_occlusion(linear_grader(2), random_patch(2), "G9")
