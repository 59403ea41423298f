"""ResNets against torchvision's names and shapes, and a block against plain formulas."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.trunks.resnet import BasicBlock, Bottleneck, ResNet

KEYS = json.loads(
    (Path(__file__).parents[2] / "data" / "torchvision-keys" / "keys.json").read_text()
)
NAMES = ["resnet18", "resnet34", "resnet50"]


def torchvision_state(name, seed=0):
    """Return a state dict as torchvision would save it: every name, random values."""
    rng = np.random.default_rng(seed)
    return {
        key: torch.tensor(0)
        if key.endswith("tracked")
        else torch.from_numpy(rng.uniform(0.01, 0.05, shape)).float()
        for key, shape in KEYS[name].items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_are_torchvisions(name):
    own = {key: list(value.shape) for key, value in ResNet(name).state_dict().items()}
    expected = {k: v for k, v in KEYS[name].items() if not k.startswith("fc.")}
    assert list(own.items()) == list(expected.items())


@pytest.mark.parametrize(("name", "channels"), [("resnet18", 512), ("resnet50", 2048)])
@pytest.mark.parametrize(("size", "max_stride"), [(224, 32), (112, 16)])
def test_grid_is_seven_by_seven_either_way(name, channels, size, max_stride):
    with torch.device("meta"):
        trunk = ResNet(name, max_stride=max_stride)
        features = trunk(torch.zeros(1, 3, size, size))
    assert features.shape == (1, channels, 7, 7)
    assert (trunk.channels, trunk.field.stride) == (channels, max_stride)


def test_basic_block_by_its_formula():
    torch.manual_seed(0)
    block = BasicBlock(3, 5, 2).eval()
    x = torch.randn(2, 3, 8, 8)
    normalize = 1 / np.sqrt(1 + 1e-5)  # fresh statistics: mean 0, variance 1
    y = F.conv2d(x, block.conv1.weight, stride=2, padding=1) * normalize
    y = F.conv2d(y.clamp_min(0), block.conv2.weight, padding=1) * normalize
    shortcut = F.conv2d(x, block.downsample[0].weight, stride=2) * normalize
    torch.testing.assert_close(block(x), (y + shortcut).clamp_min(0))


def test_bottleneck_by_its_formula():
    torch.manual_seed(0)
    block = Bottleneck(8, 2, 1).eval()
    assert block.downsample is None
    x = torch.randn(2, 8, 6, 6)
    normalize = 1 / np.sqrt(1 + 1e-5)
    y = (F.conv2d(x, block.conv1.weight) * normalize).clamp_min(0)
    y = (F.conv2d(y, block.conv2.weight, padding=1) * normalize).clamp_min(0)
    y = F.conv2d(y, block.conv3.weight) * normalize
    torch.testing.assert_close(block(x), (y + x).clamp_min(0))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.parametrize("max_stride", [4, 8])
def test_receptive_field_is_what_the_gradient_reaches(monkeypatch, name, max_stride):
    torch.manual_seed(0)
    trunk = ResNet(name, stages=2, max_stride=max_stride).eval()
    monkeypatch.setattr(F, "relu", lambda x: x)  # a dead unit would hide a pixel
    trunk.maxpool = nn.AvgPool2d(3, trunk.maxpool.stride, padding=1)
    x = torch.zeros(1, 3, 192, 192, requires_grad=True)
    cell = 96 // trunk.field.stride
    trunk(x)[0, :, cell, cell].sum().backward()
    rows = np.flatnonzero(x.grad[0].abs().sum(dim=(0, 2)).numpy())
    center, half = trunk.field.start + cell * trunk.field.stride, (trunk.field.size - 1) / 2
    assert (rows[0], rows[-1]) == (center - half, center + half)


def test_weights_load_with_and_without_all_stages(tmp_path):
    state = torchvision_state("resnet18")
    torch.save(state, tmp_path / "r.pth")
    for stages in (1, 4):
        trunk = ResNet("resnet18", stages=stages)
        trunk.load_torchvision(tmp_path / "r.pth")
        assert all(torch.equal(v, state[k]) for k, v in trunk.state_dict().items())


def test_files_without_counters_load(tmp_path):
    state = {k: v for k, v in torchvision_state("resnet18").items() if "tracked" not in k}
    torch.save(state, tmp_path / "r.pth")
    trunk = ResNet("resnet18")
    trunk.load_torchvision(tmp_path / "r.pth")
    assert torch.equal(trunk.bn1.running_var, state["bn1.running_var"])


def test_weights_of_another_resnet_are_refused_by_name(tmp_path):
    torch.save(torchvision_state("resnet18"), tmp_path / "r.pth")
    with pytest.raises(ModelError, match=r"missing \(layer1\.2\.bn1\.bias"):
        ResNet("resnet34").load_torchvision(tmp_path / "r.pth")


def test_max_stride_four_and_two_keep_the_grid_fine():
    for max_stride, cells in ((8, 8), (4, 16), (2, 32)):
        trunk = ResNet("resnet18", stages=3, max_stride=max_stride)
        with torch.no_grad():
            assert trunk(torch.zeros(1, 3, 64, 64)).shape == (1, 256, cells, cells)
        assert trunk.field.stride == max_stride


def test_what_is_no_resnet_is_refused():
    with pytest.raises(ConfigError, match='no ResNet "resnet19"'):
        ResNet("resnet19")
    with pytest.raises(ConfigError, match="stages = 0"):
        ResNet("resnet18", stages=0)
