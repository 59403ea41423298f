"""VGG against torchvision's names and shapes, its published numbers and a plain NumPy pass."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch import nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.trunks.vgg import VGG

KEYS = json.loads(
    (Path(__file__).parents[2] / "data" / "torchvision-keys" / "keys.json").read_text()
)
NAMES = ["vgg11", "vgg13", "vgg16"]


def torchvision_file(tmp_path, name, seed=0):
    """Write a file as torchvision would: every name, random values."""
    rng = np.random.default_rng(seed)
    shapes = {k: v for k, v in KEYS[name].items() if not k.startswith("classifier")}
    state = {k: torch.from_numpy(rng.normal(0, 0.05, v)).float() for k, v in shapes.items()}
    state["classifier.6.bias"] = torch.zeros(1000)
    torch.save(state, tmp_path / f"{name}.pth")
    return tmp_path / f"{name}.pth", state


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_are_torchvisions(name):
    own = {key: list(value.shape) for key, value in VGG(name).state_dict().items()}
    expected = {k: v for k, v in KEYS[name].items() if not k.startswith("classifier.")}
    assert list(own.items()) == list(expected.items())


def test_leaving_poolings_out_does_not_move_the_names():
    fine = VGG("vgg11", max_stride=4)
    assert list(fine.state_dict()) == list(VGG("vgg11").state_dict())
    with torch.no_grad():
        assert fine(torch.zeros(1, 3, 16, 16)).shape == (1, 512, 4, 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("size", "max_stride"), [(224, 32), (112, 16)])
def test_grid_is_seven_by_seven_either_way(name, size, max_stride):
    with torch.device("meta"):
        trunk = VGG(name, max_stride=max_stride)
        assert trunk(torch.zeros(1, 3, size, size)).shape == (1, 512, 7, 7)
    assert trunk.field.stride == max_stride


@pytest.mark.parametrize(
    ("name", "field"), [("vgg11", (150, 32, 15.5)), ("vgg16", (212, 32, 15.5))]
)
def test_receptive_field_is_the_published_one(name, field):
    trunk = VGG(name)
    assert (trunk.field.size, trunk.field.stride, trunk.field.start) == field


@pytest.mark.parametrize("max_stride", [4, 8])
def test_receptive_field_is_what_the_gradient_reaches(max_stride):
    torch.manual_seed(0)
    trunk = VGG("vgg13", stages=3, max_stride=max_stride)
    layers = [nn.Identity() if isinstance(m, nn.ReLU) else m for m in trunk.features]
    pooled = [nn.AvgPool2d(2) if isinstance(m, nn.MaxPool2d) else m for m in layers]
    x = torch.zeros(1, 3, 96, 96, requires_grad=True)
    cell = 48 // trunk.field.stride
    nn.Sequential(*pooled)(x)[0, :, cell, cell].sum().backward()
    rows = np.flatnonzero(x.grad[0].abs().sum(dim=(0, 2)).numpy())
    center, half = trunk.field.start + cell * trunk.field.stride, (trunk.field.size - 1) / 2
    assert (rows[0], rows[-1]) == (center - half, center + half)


def slow_vgg11_stages(state, image):
    """Two stages of VGG11 in NumPy: correlate, rectify, take the largest of each 2 x 2."""
    x = image
    for number in (0, 3):
        weight, bias = (state[f"features.{number}.{p}"].numpy() for p in ("weight", "bias"))
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        y = np.stack([correlate(padded, w, "valid")[0] + b for w, b in zip(weight, bias)])  # noqa: B905
        y = np.maximum(y, 0)
        x = y.reshape(len(y), y.shape[1] // 2, 2, y.shape[2] // 2, 2).max(axis=(2, 4))
    return x


def test_loaded_weights_compute_what_they_say(tmp_path):
    path, state = torchvision_file(tmp_path, "vgg11")
    trunk = VGG("vgg11", stages=2)
    trunk.load_torchvision(path)
    image = np.random.default_rng(3).normal(size=(3, 8, 8)).astype(np.float32)
    with torch.no_grad():
        fast = trunk(torch.from_numpy(image)[None])[0].numpy()
    assert trunk.channels == len(fast) == 128
    np.testing.assert_allclose(fast, slow_vgg11_stages(state, image), atol=1e-4)


def test_all_stages_load_and_the_rest_is_ignored(tmp_path):
    path, state = torchvision_file(tmp_path, "vgg11")
    for stages in (1, 3, 5):
        trunk = VGG("vgg11", stages=stages, max_stride=16)
        trunk.load_torchvision(path)
        assert all(torch.equal(v, state[k]) for k, v in trunk.state_dict().items())


def test_weights_of_another_vgg_are_refused_by_name(tmp_path):
    path, _ = torchvision_file(tmp_path, "vgg11")
    with pytest.raises(ModelError, match=r"missing \(features\.10\.bias, .*unexpected"):
        VGG("vgg13").load_torchvision(path)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_input_channels_load_too(tmp_path, channels):
    path, _ = torchvision_file(tmp_path, "vgg11")
    trunk = VGG("vgg11", in_channels=channels, stages=1)
    trunk.load_torchvision(path)
    assert trunk(torch.zeros(1, channels, 8, 8)).shape == (1, 64, 4, 4)


def test_what_is_no_vgg_is_refused():
    with pytest.raises(ConfigError, match='no VGG "vgg12"'):
        VGG("vgg12")
    with pytest.raises(ConfigError, match="stages = 6"):
        VGG("vgg11", stages=6)
