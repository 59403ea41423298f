"""3-D encoders: Models Genesis' names, published sizes, and what the norms depend on."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.trunks.unet3d import (
    BatchStatisticsNorm3d,
    CompactEncoder3D,
    SpaceToDepth,
    UNet3DEncoder,
    with_batch_statistics,
)


def models_genesis_names():
    """Name and shape of every tensor in the encoder's half of a Models Genesis file."""
    shapes, before = {}, 1
    for stage, widths in zip((64, 128, 256, 512), ((32, 64), (64, 128), (128, 256), (256, 512))):  # noqa: B905
        for number, width in enumerate(widths):
            layer = f"down_tr{stage}.ops.{number}"
            shapes[f"{layer}.conv1.weight"] = (width, before, 3, 3, 3)
            shapes[f"{layer}.conv1.bias"] = (width,)
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{layer}.bn1.{part}"] = (width,)
            shapes[f"{layer}.bn1.num_batches_tracked"] = ()
            before = width
    return shapes


@pytest.fixture(scope="module")
def genesis_file(tmp_path_factory):
    rng = np.random.default_rng(0)
    state = {
        f"module.{key}": torch.from_numpy(np.asarray(rng.uniform(0.01, 0.05, shape), np.float32))
        for key, shape in models_genesis_names().items()
    }
    state["module.up_tr256.up_conv.weight"] = torch.zeros(2, 2)
    state["module.out_tr.final_conv.bias"] = torch.zeros(1)
    path = tmp_path_factory.mktemp("weights") / "Genesis_Chest_CT.pt"
    torch.save({"epoch": 1, "state_dict": state}, path)
    return path, {key.removeprefix("module."): value for key, value in state.items()}


@pytest.mark.parametrize("statistics", ["running", "as_released"])
def test_names_are_those_of_models_genesis(statistics):
    with torch.device("meta"):
        encoder = UNet3DEncoder(statistics=statistics)
    own = {key: tuple(value.shape) for key, value in encoder.state_dict().items()}
    assert own == models_genesis_names()


@pytest.mark.parametrize("statistics", ["running", "as_released"])
def test_a_narrower_encoder_has_the_same_names_and_fewer_channels(statistics):
    encoder = UNet3DEncoder(statistics=statistics, width=0.25)
    own = {key: tuple(value.shape) for key, value in encoder.state_dict().items()}
    assert set(own) == set(models_genesis_names())
    assert own["down_tr512.ops.1.conv1.weight"] == (128, 64, 3, 3, 3)
    assert encoder.channels == 128
    assert encoder(torch.zeros(2, 1, 16, 16, 16)).shape == (2, 128, 2, 2, 2)


def test_published_weights_do_not_fit_a_narrower_encoder(genesis_file):
    with pytest.raises(ModelError, match=r"Genesis_Chest_CT\.pt"):
        UNet3DEncoder(width=0.25).load_models_genesis(genesis_file[0])


@pytest.mark.parametrize("channels", [1, 2])
def test_models_genesis_weights_load_without_their_decoder(genesis_file, channels):
    path, state = genesis_file
    encoder = UNet3DEncoder(in_channels=channels)
    encoder.load_models_genesis(path)
    own = encoder.state_dict()
    stem = own.pop("down_tr64.ops.0.conv1.weight")
    assert all(torch.equal(value, state[key].to(value.dtype)) for key, value in own.items())
    total = state["down_tr64.ops.0.conv1.weight"].sum(dim=1)
    torch.testing.assert_close(stem.sum(dim=1), total)


def test_other_weights_are_refused_by_name(genesis_file, tmp_path):
    _, state = genesis_file
    state = {k: v for k, v in state.items() if "down_tr512.ops.1.bn1.bias" not in k}
    torch.save(state | {"fc.weight": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(ModelError) as refused:
        UNet3DEncoder().load_models_genesis(tmp_path / "w.pt")
    assert "1 missing (down_tr512.ops.1.bn1.bias)" in str(refused.value)
    assert "1 unexpected (fc.weight)" in str(refused.value)


@pytest.mark.parametrize(("kind", "field"), [(UNet3DEncoder, 68), (CompactEncoder3D, 64)])
@pytest.mark.parametrize("size", [64, 96])
def test_both_encoders_end_in_512_units_at_stride_8(kind, field, size):
    with torch.device("meta"):
        encoder = kind()
        features = encoder(torch.zeros(1, 1, size, size, size))
    assert features.shape == (1, 512, size // 8, size // 8, size // 8)
    assert (encoder.field.size, encoder.field.stride, encoder.channels) == (field, 8, 512)


@pytest.mark.parametrize("kind", [UNet3DEncoder, CompactEncoder3D])
def test_receptive_field_is_what_the_gradient_reaches(kind):
    """A long thin box: the field along one axis, cut by the border along the others."""
    torch.manual_seed(0)
    encoder = kind().eval()
    for parent in encoder.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU):
                setattr(parent, name, nn.Identity())
            elif isinstance(child, nn.MaxPool3d):
                setattr(parent, name, nn.AvgPool3d(2))
    x = torch.zeros(1, 1, 8, 96, 8, requires_grad=True)
    encoder(x)[0, :, 0, 6].sum().backward()
    touched = np.flatnonzero(x.grad[0, 0].abs().sum(dim=(0, 2)).numpy())
    center, half = encoder.field.start + 6 * 8, (encoder.field.size - 1) / 2
    assert (touched[0], touched[-1]) == (center - half, min(center + half, 95))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_space_to_depth_moves_every_sample_once(axes):
    shape = (4, 6, 8)[:axes]
    x = torch.arange(np.prod(shape) * 2.0).view(1, 2, *shape)
    y = SpaceToDepth(2)(x)
    assert y.shape == (1, 2 * 2**axes, *(n // 2 for n in shape))
    for cell in itertools.product(*(range(n // 2) for n in shape)):
        for number, offset in enumerate(itertools.product((0, 1), repeat=axes)):
            at = tuple(2 * c + o for c, o in zip(cell, offset, strict=True))
            for channel in (0, 1):
                assert y[(0, channel * 2**axes + number, *cell)] == x[(0, channel, *at)]


def test_space_to_depth_refuses_what_it_can_not_cut():
    with pytest.raises(ModelError, match="blocks of 2"):
        SpaceToDepth(2)(torch.zeros(1, 1, 4, 5, 4))


def test_batch_statistics_by_their_formula():
    norm = BatchStatisticsNorm3d(2).eval()
    nn.init.uniform_(norm.weight)
    nn.init.uniform_(norm.bias)
    x = torch.randn(3, 2, 4, 4, 4) * 5 + 1
    mean = x.mean(dim=(0, 2, 3, 4), keepdim=True)
    variance = (x - mean).square().mean(dim=(0, 2, 3, 4), keepdim=True)
    scale, shift = (p.detach().view(1, 2, 1, 1, 1) for p in (norm.weight, norm.bias))
    torch.testing.assert_close(norm(x), (x - mean) / (variance + 1e-5).sqrt() * scale + shift)
    assert int(norm.num_batches_tracked) == 0
    norm.train()(x)
    assert int(norm.num_batches_tracked) == 1


def test_unknown_statistics_are_refused():
    with pytest.raises(ConfigError, match=r'statistics is "group"; expected one of'):
        UNet3DEncoder(statistics="group")


def test_width_scales_the_compact_encoder_and_leaves_its_field():
    half, whole = CompactEncoder3D(width=0.5), CompactEncoder3D()
    assert (half.channels, whole.channels) == (256, 512)
    assert half.field == whole.field
    with torch.no_grad():
        assert half.eval()(torch.zeros(1, 1, 16, 16, 16)).shape == (1, 256, 2, 2, 2)


def test_a_copy_normalizes_by_its_batch_and_the_model_does_not():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Sequential(nn.BatchNorm3d(2), nn.ReLU()), nn.BatchNorm3d(2)).eval()
    changed = with_batch_statistics(model)
    x = torch.rand(4, 2, 3, 3, 3) * 5 + 2
    alone, together = changed(x[:1]), changed(x)[:1]
    assert not torch.allclose(alone, together)
    assert torch.equal(model(x[:1]), model(x)[:1])
    state = model.state_dict()
    assert all(torch.equal(state[name], one) for name, one in changed.state_dict().items())
