"""DenseNet121 against torchvision's names and shapes, and a layer against its formula."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.trunks.densenet import DenseLayer, DenseNet121, modern_name

KEYS = json.loads(
    (Path(__file__).parents[2] / "data" / "torchvision-keys" / "keys.json").read_text()
)["densenet121"]


@pytest.fixture(scope="module")
def state():
    """Return a state dict as torchvision would save it: every name, random values."""
    rng = np.random.default_rng(0)
    return {
        key: torch.tensor(0)
        if key.endswith("tracked")
        else torch.from_numpy(rng.uniform(0.01, 0.05, shape)).float()
        for key, shape in KEYS.items()
    }


def old_name(key):
    """Undo ``modern_name``: before 2018 the layers' names held a dot."""
    for part in ("norm", "conv"):
        for number in "12":
            if "denselayer" in key:
                key = key.replace(f".{part}{number}.", f".{part}.{number}.")
    return key


def test_names_and_shapes_are_torchvisions():
    own = {key: list(value.shape) for key, value in DenseNet121().state_dict().items()}
    expected = {k: v for k, v in KEYS.items() if not k.startswith("classifier.")}
    assert list(own.items()) == list(expected.items())


@pytest.mark.parametrize(("size", "max_stride"), [(224, 32), (112, 16)])
def test_grid_is_seven_by_seven_either_way(size, max_stride):
    with torch.device("meta"):
        trunk = DenseNet121(max_stride=max_stride)
        features = trunk(torch.zeros(1, 3, size, size))
    assert features.shape == (1, 1024, 7, 7)
    assert trunk.field.stride == max_stride


def test_dense_layer_by_its_formula():
    torch.manual_seed(0)
    layer = DenseLayer(3).eval()
    x = torch.randn(2, 3, 5, 5)
    normalize = 1 / np.sqrt(1 + 1e-5)  # fresh statistics: mean 0, variance 1
    y = F.conv2d((x * normalize).clamp_min(0), layer.conv1.weight)
    y = F.conv2d((y * normalize).clamp_min(0), layer.conv2.weight, padding=1)
    out = layer(x)
    assert out.shape == (2, 35, 5, 5)
    assert torch.equal(out[:, :3], x)
    torch.testing.assert_close(out[:, 3:], y)


@pytest.mark.parametrize("max_stride", [4, 8])
def test_receptive_field_is_what_the_gradient_reaches(monkeypatch, max_stride):
    torch.manual_seed(0)
    trunk = DenseNet121(stages=2, max_stride=max_stride).eval()
    monkeypatch.setattr(F, "relu", lambda x: x)
    for name in ("relu0", "pool0"):
        setattr(trunk.features, name, torch.nn.Identity())
    trunk.features.pool0 = torch.nn.AvgPool2d(3, 2, padding=1)
    trunk.features.transition1.relu = torch.nn.Identity()
    size = 320
    x = torch.zeros(1, 3, size, size, requires_grad=True)
    cell = size // 2 // trunk.field.stride
    trunk(x)[0, :, cell, cell].sum().backward()
    rows = np.flatnonzero(x.grad[0].abs().sum(dim=(0, 2)).numpy())
    center, half = trunk.field.start + cell * trunk.field.stride, (trunk.field.size - 1) / 2
    assert (rows[0], rows[-1]) == (center - half, center + half)


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
@pytest.mark.parametrize("rename", [str, old_name], ids=["today", "before 2018"])
def test_weights_load_with_and_without_all_stages(tmp_path, state, stages, rename):
    torch.save({rename(key): value for key, value in state.items()}, tmp_path / "d.pth")
    trunk = DenseNet121(stages=stages)
    trunk.load_torchvision(tmp_path / "d.pth")
    assert all(torch.equal(v, state[k]) for k, v in trunk.state_dict().items())
    with torch.no_grad():
        features = trunk.eval()(torch.zeros(1, 3, 32, 32))
    assert features.shape[1] == trunk.channels == (256, 512, 1024, 1024)[stages - 1]


@pytest.mark.parametrize("stages", [1, 4])
def test_the_map_is_rectified(stages):
    torch.manual_seed(0)
    trunk = DenseNet121(stages=stages).eval()
    with torch.no_grad():
        features = trunk(torch.randn(1, 3, 64, 64))
    assert features.min() == 0
    assert features.max() > 0


def test_every_old_name_becomes_the_modern_one():
    assert {modern_name(old_name(key)) for key in KEYS} == set(KEYS)
    assert sum(old_name(key) != key for key in KEYS) == 58 * 12


def test_a_file_with_a_layer_missing_is_refused_by_name(tmp_path, state):
    gap = "features.denseblock3.denselayer7.conv2.weight"
    torch.save({k: v for k, v in state.items() if k != gap}, tmp_path / "d.pth")
    with pytest.raises(ModelError, match=rf"1 missing \({gap}\)"):
        DenseNet121().load_torchvision(tmp_path / "d.pth")


def test_a_fifth_stage_is_refused():
    with pytest.raises(ConfigError, match="4 stages; got stages = 5"):
        DenseNet121(stages=5)
