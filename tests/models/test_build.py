import pytest
import torch

from spinexplain.config import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ConfigError
from spinexplain.models.backbones import build_trunk
from spinexplain.models.build import MODELS, build_model
from spinexplain.models.prototype import LinearNet, PrototypeNet

TRUNK = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("kind", sorted(MODELS))
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
        for kind in MODELS
    }
    assert built == {"prototype": PrototypeNet, "linear": LinearNet}


def test_pooling_beside_the_target_needs_its_channel():
    spec = InputSpec(size=16, channels=("ct",))
    head = HeadSettings(kind="linear", pooling="target")
    with pytest.raises(ConfigError, match='"gaussian"'):
        build_model(build_trunk(TRUNK, spec), head, 3, spec)
