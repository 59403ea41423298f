import torch

from spinexplain.models.body_network import BodyNetwork
from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.residual import Residual3d, convolution3d


def test_without_a_second_convolution_the_block_is_the_identity_of_what_is_positive():
    block = Residual3d(3).eval()
    torch.nn.init.zeros_(block.second.weight)
    x = torch.randn(2, 3, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x), x.clamp(min=0))


def test_a_stride_divides_every_side():
    assert convolution3d(2, 5, 2)(torch.zeros(2, 2, 4, 6, 8)).shape == (2, 5, 2, 3, 4)


def test_stored_weights_go_by_these_names():
    """A weight file of either network names its arrays by them."""
    parts = {"first.0.weight", "first.1.weight", "second.weight", "norm.running_mean"}
    assert {f"fine.{part}" for part in parts} <= set(CurveNetwork((4, 4, 4)).state_dict())
    body = set(BodyNetwork((4, 4, 4, 4)).state_dict())
    assert {f"encoders.0.{part}" for part in parts} | {"stem.0.0.weight"} <= body
