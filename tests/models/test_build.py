import pytest
import torch

from spinexplain.config.heads import HEADS
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings, read_config
from spinexplain.errors import ConfigError
from spinexplain.models.build import build_model
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.models.trunks.backbones import build_trunk

FLAT = [kind for kind, head in HEADS.items() if 2 in head.axes]
TRUNK = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("kind", FLAT)
def test_every_model_gives_logits_on_every_number_of_axes(kind, axes):
    spec = InputSpec(axes=axes, extent_mm=16, size=16)
    head = HeadSettings(kind=kind, feature_dim=5)
    model = build_model(build_trunk(TRUNK, spec), head, 3, spec).eval()
    with torch.no_grad():
        assert model(torch.zeros((2, 3) + (16,) * axes)).shape == (2, 3)


def test_kinds_are_what_the_settings_allow():
    spec = InputSpec(size=16)
    built = {
        kind: type(build_model(build_trunk(TRUNK, spec), HeadSettings(kind=kind), 3, spec))
        for kind in FLAT
    }
    assert built == {"prototype": PrototypeNet, "linear": LinearNet}


BOXES = InputSpec(axes=3, extent_mm=16, size=16, channels=("ct",))


@pytest.mark.parametrize("name", ["compact3d", "unet3d", "conv"])
def test_detector_stands_on_any_trunk_of_boxes(name):
    trunk = TrunkSettings(name=name, width=0.1, blocks=2, widths=(4, 6), weights="none")
    head = HeadSettings(kind="detector", width=0.1)
    model = build_model(build_trunk(trunk, BOXES), head, 2, BOXES).eval()
    assert isinstance(model, DetectorNet)
    with torch.no_grad():
        assert model(torch.zeros(2, 1, 16, 16, 16)).shape == (2, 2)


def test_detector_needs_boxes_and_two_classes():
    head, flat = HeadSettings(kind="detector"), InputSpec(size=16)
    with pytest.raises(ConfigError, match="axes is 2, expected 3"):
        build_model(build_trunk(TRUNK, flat), head, 2, flat)
    with pytest.raises(ConfigError, match="distinguishes two classes; got 3"):
        build_model(build_trunk(TRUNK, BOXES), head, 3, BOXES)


def test_presets_of_the_detector_build_networks_of_their_size():
    sizes = {}
    for name in ("detector", "detector-as-published", "detector-as-released"):
        config = read_config(name)
        with torch.device("meta"):
            trunk = build_trunk(config.trunk, config.input)
            model = build_model(trunk, config.head, 2, config.input)
        sizes[name] = sum(p.numel() for p in model.parameters())
    assert sizes["detector-as-released"] == 12_778_777
    assert sizes["detector-as-published"] == 12_778_777 + (12**3 - 8**3) * 8 * 256
    assert sizes["detector"] < 2_000_000


def test_pooling_beside_the_target_needs_its_channel():
    spec = InputSpec(size=16, channels=("ct",))
    head = HeadSettings(kind="linear", pooling="target")
    with pytest.raises(ConfigError, match='"gaussian"'):
        build_model(build_trunk(TRUNK, spec), head, 3, spec)
