import pytest

from spinexplain.config.entries import Entry
from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError
from spinexplain.experiment.backbones import check_trunks, known_weights, on_backbone

BASE = TrainConfig(trunk={"name": "vgg11", "weights": "v.pth", "blocks": 5, "max_stride": 32})


def placed(base=BASE, named=None, **point):
    keyed = {f"trunk.{key}": value for key, value in point.items()}
    trunk = on_backbone(base, keyed, known_weights(base, named or {}), "test").trunk
    return trunk.name, trunk.weights


def test_a_named_weight_goes_with_its_backbone():
    named = {"resnet18": "r.pth"}
    assert placed(named=named, name="resnet18") == ("resnet18", "r.pth")
    assert placed(named=named, name="resnet18", weights="none") == ("resnet18", "none")
    assert placed(name="vgg11", weights="pretrained") == ("vgg11", "v.pth")


def test_the_weights_of_the_preset_never_go_to_another_backbone():
    with pytest.raises(ConfigError, match="no weights are named for the backbone resnet18"):
        placed(name="resnet18")
    with pytest.raises(ConfigError, match="whose weights are its own"):
        placed(name="resnet18", weights="v.pth")


def test_weights_of_another_network_are_refused_with_the_entry(tmp_path):
    import torch

    torch.save({"features.0.weight": torch.zeros(3, 3)}, tmp_path / "w.pth")
    trunk = {"name": "vgg11", "weights": str(tmp_path / "w.pth"), "blocks": 1, "max_stride": 2}
    config = TrainConfig(trunk=trunk)
    with pytest.raises(ConfigError, match="mine: "):
        check_trunks([Entry("mine", config)])


def test_trunks_from_scratch_need_no_look():
    check_trunks([Entry("mine", TrainConfig(trunk={"name": "no such", "weights": "none"}))])
