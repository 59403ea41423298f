"""Published architectures as trunks of any model, with their settings and weight files."""

import pytest
import torch
from safetensors.torch import save_file

from spinexplain.config.heads import HEADS
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.build import build_model
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.trunks.architectures import ARCHITECTURES, build_network
from spinexplain.models.trunks.backbones import BACKBONES, build_trunk

NAMES = sorted(ARCHITECTURES)


def setup(name, weights="none", blocks=None, **spec):
    axes = ARCHITECTURES[name].axes
    stages = ARCHITECTURES[name].stages or 1
    settings = TrunkSettings(name=name, blocks=blocks or stages, max_stride=16, weights=weights)
    return settings, InputSpec(axes=axes, extent_mm=64, size=64, **spec)


def test_every_architecture_is_a_backbone():
    assert set(NAMES) <= set(BACKBONES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [kind for kind, head in HEADS.items() if 2 in head.axes])
def test_every_model_stands_on_every_trunk(name, kind):
    settings, spec = setup(name)
    with torch.device("meta"):
        trunk = build_trunk(settings, spec)
        model = build_model(trunk, HeadSettings(kind=kind, feature_dim=8), 3, spec).eval()
        logits = model(torch.zeros(2, len(spec.channels), *(64,) * spec.axes))
    assert logits.shape == (2, 3)
    assert trunk.field.stride == (16 if spec.axes == 2 else 8)


@pytest.mark.parametrize(
    ("name", "blocks", "stem"),
    [
        ("vgg11", 2, "features.0.weight"),
        ("resnet18", 1, "conv1.weight"),
        ("densenet121", 1, "features.conv0.weight"),
        ("unet3d", 1, "down_tr64.ops.0.conv1.weight"),
    ],
)
def test_weight_files_reach_the_trunk(tmp_path, name, blocks, stem):
    torch.manual_seed(0)
    channels = ("ct",) if name == "unet3d" else ("ct", "ct", "gaussian")
    settings, spec = setup(name, blocks=blocks, channels=channels)
    source = build_network(settings, spec)
    save_file(source.state_dict(), tmp_path / "w.safetensors")
    settings, _ = setup(name, weights=str(tmp_path / "w.safetensors"), blocks=blocks)
    loaded = build_trunk(settings, spec).layers.state_dict()
    assert torch.equal(loaded[stem], source.state_dict()[stem])
    assert all(torch.equal(loaded[key], value) for key, value in source.state_dict().items())


def test_as_released_looks_at_the_batch_and_the_default_does_not():
    x = torch.rand(2, 1, 16, 16, 16)
    for name, alike in (("unet3d", True), ("unet3d_as_released", False)):
        torch.manual_seed(0)
        network = build_network(*setup(name, channels=("ct",))).eval()
        with torch.no_grad():
            assert torch.allclose(network(x)[:1], network(x[:1]), rtol=0.01, atol=1e-4) is alike


@pytest.mark.parametrize("name", ["vgg16", "resnet34", "densenet121"])
def test_settings_that_do_not_fit_are_refused(name):
    settings, spec = setup(name)
    with pytest.raises(ConfigError, match=f'"{name}" needs .* axes = 2; got 3'):
        build_network(settings, spec.model_copy(update={"axes": 3}))
    with pytest.raises(ConfigError, match=rf"blocks is 11; {name} has . stages"):
        build_network(settings.model_copy(update={"blocks": 11}), spec)
    with pytest.raises(ConfigError, match=f"no weights are shipped for {name}"):
        build_network(settings.model_copy(update={"weights": "imagenet"}), spec)
    with pytest.raises(ModelError, match="nowhere"):
        build_trunk(settings.model_copy(update={"weights": "nowhere.pth"}), spec)


def test_the_compact_encoder_starts_from_a_detector_on_boxes_of_any_size(tmp_path):
    settings, box = setup("compact3d", channels=("ct",))
    settings = settings.model_copy(update={"width": 0.1})
    detector = DetectorNet(build_trunk(settings, box), size=16, width=0.1)
    state = {name: value.contiguous() for name, value in detector.state_dict().items()}
    save_file(state, tmp_path / "model.safetensors")
    changes = {"weights": str(tmp_path / "model.safetensors")}
    loaded = build_trunk(settings.model_copy(update=changes), box)
    for name, value in detector.trunk.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    x = torch.rand(1, 1, 32, 32, 32)
    assert torch.equal(loaded.eval()(x), detector.trunk.eval()(x))
    with pytest.raises(ModelError, match="another shape"):
        build_trunk(settings.model_copy(update=changes | {"width": 0.2}), box)


def test_a_fourth_channel_can_copy_the_weights_instead_of_sharing_the_response(tmp_path):
    three, _ = setup("vgg11")
    source = build_network(three, InputSpec())
    torch.save(source.state_dict(), tmp_path / "vgg11.pth")
    spec = InputSpec(channels=("ct", "ct", "ct", "gaussian"))
    stem = source.state_dict()["features.0.weight"]
    for extra, factor in (("scaled", 0.75), ("copied", 1.0)):
        changes = {"weights": str(tmp_path / "vgg11.pth"), "extra_channels": extra}
        loaded = build_network(three.model_copy(update=changes), spec).state_dict()
        assert torch.equal(loaded["features.0.weight"][:, :3], stem * factor)
        assert torch.equal(loaded["features.0.weight"][:, 3], stem[:, 0] * factor)
