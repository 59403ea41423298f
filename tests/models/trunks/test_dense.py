"""The dense trunk gives on every second cell what the plain one gives, from the same weights."""

import pytest
import torch

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.errors import ConfigError
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.models.trunks.dense import between, every_second

SPEC = InputSpec(size=48, extent_mm=48)


def settings(name, **changed):
    wanted = {"name": name, "weights": "none", "blocks": 4, "max_stride": 8, "widths": (3, 4, 5, 6)}
    return TrunkSettings(**(wanted | changed))


@pytest.fixture
def pair():
    torch.manual_seed(0)
    plain = build_trunk(settings("conv"), SPEC).eval()
    dense = build_trunk(settings("conv_dense"), SPEC).eval()
    dense.load_state_dict(plain.state_dict())
    return plain, dense


@torch.no_grad()
def test_every_second_cell_is_the_plain_trunks(pair):
    plain, dense = pair
    x = torch.randn(2, 3, 48, 48)
    wide, middle, near = dense(x).split([6, 5, 4], dim=1)
    assert torch.allclose(every_second(wide), plain(x), atol=1e-5)
    stages = list(plain.layers)
    second = torch.nn.Sequential(*stages[:12])(x)
    third = torch.nn.Sequential(*stages[:18])(x)
    assert torch.allclose(near, second, atol=1e-6)
    assert torch.allclose(every_second(middle), third, atol=1e-5)


@torch.no_grad()
def test_cells_between_are_those_of_a_shifted_image(pair):
    """A trous: cell 2k + 1 sees what cell k sees of an image moved by half a plain stride."""
    plain, dense = pair
    x = torch.randn(1, 3, 112, 112)
    middle = dense(x)[:, 6:11]
    moved = torch.nn.Sequential(*list(plain.layers)[:18])(torch.roll(x, -4, 3))
    inner = (slice(None), slice(None), slice(6, 8), slice(6, 8))
    assert torch.allclose(middle[:, :, ::2, 1::2][inner], moved[inner], atol=1e-5)


def test_the_grid_is_twice_as_fine_and_the_field_as_wide(pair):
    plain, dense = pair
    assert (dense.field.stride, dense.field.size) == (plain.field.stride // 2, plain.field.size)
    assert dense.field.start == plain.field.start
    assert dense.channels == 6 + 5 + 4


def test_between_by_hand():
    fine = between(torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]]), torch.Size([4, 3]))
    assert fine[0, 0].tolist() == [[0, 2, 4], [4, 6, 8], [8, 10, 12], [8, 10, 12]]


@pytest.mark.parametrize("changed", [{"max_stride": 2}, {"blocks": 2}, {"max_stride": 6}])
def test_settings_that_leave_no_stage_are_refused(changed):
    with pytest.raises(ConfigError, match="conv_dense"):
        build_trunk(settings("conv_dense", **changed), SPEC)


@torch.no_grad()
def test_boxes_work_too():
    spec = InputSpec(axes=3, size=16, extent_mm=16)
    torch.manual_seed(0)
    plain = build_trunk(settings("conv", blocks=3), spec).eval()
    dense = build_trunk(settings("conv_dense", blocks=3), spec).eval()
    dense.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 16, 16, 16)
    assert torch.allclose(every_second(dense(x)[:, :5]), plain(x), atol=1e-5)
