"""Class activation maps of whole networks: where the evidence lies, by cases made by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.errors import ConfigError, ModelError
from spinexplain.explainers.cam import activation_maps, default_layer, explain_cam
from spinexplain.explainers.cam_weights import CAM_METHODS
from spinexplain.models.grader import Grader
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.receptive import ReceptiveField, upsample_map
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.models.trunks.unet3d import CompactEncoder3D
from spinexplain.models.trunks.vgg import VGG

METHODS = sorted(CAM_METHODS)


class AverageNet(nn.Module):
    """A trunk, its average and a linear layer: CAM's own architecture."""

    def __init__(self, trunk, channels, classes=3):
        super().__init__()
        self.trunk = trunk
        self.last = nn.Linear(channels, classes)

    def forward(self, x):
        return self.last(self.trunk(x).flatten(2).mean(dim=2))


def average_net(axes, seed=0):
    torch.manual_seed(seed)
    kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[axes]
    trunk = nn.Sequential(kind(1, 4, 3, stride=2, padding=1), nn.ReLU(), kind(4, 5, 3), nn.ReLU())
    return AverageNet(trunk, 5).eval()


def noise(axes, n=3, size=9, seed=0):
    return torch.randn(n, 1, *(size + k for k in range(axes)), generator=_generator(seed))


def _generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("method", ["gradcam", "xgradcam"])
def test_on_an_averaging_network_both_are_the_class_weights(axes, method):
    """Zhou's CAM: the linear layer's weights on the channels, over the number of cells."""
    net, x = average_net(axes), noise(axes)
    maps, logits = activation_maps(net, x, [0, 1, 2], method)
    with torch.no_grad():
        features = net.trunk(x)
        cells = features[0, 0].numel()
        for n in range(3):
            weights = net.last.weight[n].view(-1, *(1,) * axes)
            expected = (features[n] * weights).sum(dim=0).clamp_min(0) / cells
            torch.testing.assert_close(maps[n], expected)
        torch.testing.assert_close(logits, net(x).diagonal())


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_batch_gives_what_each_input_gives_alone(axes, method):
    net, x = average_net(axes), noise(axes)
    together, _ = activation_maps(net, x, [2, 0, 1], method)
    for n, target in enumerate([2, 0, 1]):
        alone, _ = activation_maps(net, x[n : n + 1], [target], method)
        torch.testing.assert_close(together[n], alone[0])


@pytest.mark.parametrize("method", METHODS)
def test_frozen_networks_and_closed_gradients_do_not_matter(method):
    net, x = average_net(2), noise(2)
    free, _ = activation_maps(net, x, [0, 1, 2], method)
    net.requires_grad_(False)
    with torch.no_grad():
        frozen, _ = activation_maps(net, x, [0, 1, 2], method)
    with torch.inference_mode():
        inferred, _ = activation_maps(net, x + 0, [0, 1, 2], method)
    assert free.max() > 0
    assert torch.equal(free, frozen)
    assert torch.equal(free, inferred)
    assert not frozen.requires_grad


def test_broken_weights_are_refused_not_shown():
    net = average_net(2)
    with torch.no_grad():
        net.last.weight[0, 0] = float("nan")
    with pytest.raises(ModelError, match='NaN at layer "trunk"'):
        activation_maps(net, noise(2), [0, 0, 0])


def test_layers_without_a_map_are_refused():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
    for layer in ("1", "2", "3"):
        with pytest.raises(ModelError, match=f'layer "{layer}" gives no map'):
            activation_maps(net, noise(2), [0, 0, 0], layer=layer)
    with pytest.raises(ModelError, match='no layer "4"'):
        activation_maps(net, noise(2), [0, 0, 0], layer="4")
    with pytest.raises(ConfigError, match='no CAM "scorecam"'):
        activation_maps(net, noise(2), [0, 0, 0], "scorecam")


def test_default_layer_is_the_trunk_or_the_last_convolution():
    assert default_layer(average_net(3), 3) == "trunk"
    plain = nn.Sequential(nn.Conv3d(1, 2, 3), nn.Conv3d(2, 2, 3), nn.Flatten(), nn.Linear(2, 2))
    assert default_layer(plain, 3) == "1"
    with pytest.raises(ModelError, match="no 2-D convolution"):
        default_layer(plain, 2)


class Corner(nn.Module):
    """Brightness per block of 4 samples; the logit of class 1 is its sum."""

    def __init__(self, axes, with_field):
        super().__init__()
        self.trunk = {2: nn.AvgPool2d, 3: nn.AvgPool3d}[axes](4)
        if with_field:
            self.trunk.field = ReceptiveField(size=4, stride=4, start=1.5)

    def forward(self, x):
        total = self.trunk(x[:, :1] + 1).flatten(1).sum(dim=1)
        return torch.stack([-total, total], dim=1)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("with_field", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_evidence_lies_where_it_is_on_the_patch(random_patch, axes, with_field, method):
    patch = random_patch(axes)
    patch.array[:] = -1000
    at = (5, 22, 13)[:axes]
    block = tuple(slice(4 * (i // 4), 4 * (i // 4) + 4) for i in at)
    patch.array[block] = 2000
    spec = InputSpec(axes=axes, extent_mm=32, size=32)
    grader = Grader.from_module(Corner(axes, with_field), spec, ("no", "yes"))
    explanation = explain_cam(grader, patch, "yes", method)
    (item,) = explanation.evidence
    assert item.heatmap.shape == patch.array.shape
    assert item.heatmap.dtype == np.float32
    assert item.heatmap.min() >= 0
    peak = np.unravel_index(item.heatmap.argmax(), item.heatmap.shape)
    assert all(s.start <= p < s.stop for p, s in zip(peak, block, strict=True))
    assert item.score > 0
    if method != "gradcam++":  # every cell counts once in this network's logit
        assert item.score == pytest.approx(item.terms["logit"], rel=1e-5)
    (against,) = explain_cam(grader, patch, "no", method).evidence
    assert against.score == 0
    assert (against.heatmap == 0).all()


def test_a_known_trunk_is_placed_by_its_field(tiny_grader, random_patch):
    grader, patch = tiny_grader(kind="linear"), random_patch()
    maps, _ = activation_maps(grader.model, grader.inputs([patch]), [1])
    expected = upsample_map(maps[0].numpy(), (32, 32), grader.model.trunk.field, 1.0)
    (item,) = explain_cam(grader, patch, "G2").evidence
    np.testing.assert_array_equal(item.heatmap, expected)


def test_terms_are_the_logit_and_the_peak(tiny_grader, random_patch):
    grader, patch = tiny_grader(kind="linear"), random_patch()
    (item,) = explain_cam(grader, patch, "G3", "gradcam").evidence
    maps, _ = activation_maps(grader.model, grader.inputs([patch]), [2])
    assert item.terms["logit"] == pytest.approx(float(grader.logits([patch])[0, 2]), rel=1e-5)
    assert item.terms["peak"] == pytest.approx(float(maps.max()))
    assert item.score == pytest.approx(float(maps.sum()), rel=1e-5)
    assert (item.name, item.class_name) == ("GradCAM", "G3")


def test_real_architectures_are_explained(random_patch):
    torch.manual_seed(0)
    vgg = AverageNet(VGG("vgg11", stages=3), 256).eval()
    spec = InputSpec(extent_mm=32, size=32)
    flat = explain_cam(Grader.from_module(vgg, spec, ("G0", "G2", "G3")), random_patch(2), "G2")
    detector = DetectorNet(CompactEncoder3D(), size=32).eval()
    spec = InputSpec(axes=3, extent_mm=32, size=32, channels=("ct",))
    grader = Grader.from_module(detector, spec, ("no fracture", "fracture"))
    maps = {
        target: explain_cam(grader, random_patch(3), target).evidence[0].heatmap
        for target in grader.classes
    }
    assert flat.evidence[0].heatmap.shape == (32, 32)
    assert maps["fracture"].shape == (32, 32, 32)
    assert max(m.max() for m in maps.values()) > 0
    # The two logits are each other's negative, and so are the maps before rectification.
    assert not ((maps["fracture"] > 1e-6) & (maps["no fracture"] > 1e-6)).all()


def test_unknown_classes_are_refused(tiny_grader, random_patch):
    with pytest.raises(ModelError, match='no class "G1"; expected one of G0, G2, G3'):
        explain_cam(tiny_grader(kind="linear"), random_patch(), "G1")


@pytest.mark.parametrize("axes", [2, 3])
def test_the_pooling_of_the_head_is_in_the_map(axes):
    """Pooled beside the target, GradCAM adds up to the logit, and ignored cells stay dark."""
    spec = InputSpec(axes=axes, extent_mm=32, size=32, channels=("ct", "gaussian"))
    trunk = build_trunk(TrunkSettings(name="conv", widths=(4, 5), weights="none"), spec)
    net = LinearNet(trunk, 3, spec, "target").eval()
    x = torch.rand(2, 2, *(32,) * axes, generator=_generator(1))
    x[:, 1] = -1.0
    x[(slice(None), 1) + (slice(10, 20),) * axes] = 1.0
    grid = net.trunk(x).shape[2:]
    weights = net.cell_weights(x, grid)
    torch.testing.assert_close(weights.flatten(1).sum(dim=1), torch.ones(2))
    with torch.no_grad():
        expected = (net.trunk(x) * weights[:, None]).flatten(2).sum(dim=2)
        torch.testing.assert_close(net.pooled_features(x), expected)
        net.last_layer.weight.abs_()
    maps, logits = activation_maps(net, x, [0, 2], "gradcam")
    bias = net.last_layer.bias[[0, 2]].detach()
    torch.testing.assert_close(maps.flatten(1).sum(dim=1), logits - bias, rtol=1e-4, atol=1e-5)
    assert not maps[weights == 0].any()
    assert (weights == 0).any()
