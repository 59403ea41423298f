import pytest
import torch

from spinexplain.models.curve_network import CurveNetwork, _unfolded
from spinexplain.models.trunks.unet3d import SpaceToDepth


def test_unfolding_undoes_folding():
    x = torch.arange(4 * 4 * 6 * 8, dtype=torch.float32).reshape(1, 4, 4, 6, 8)
    folded = torch.stack([SpaceToDepth(2)(x[:, k : k + 1]) for k in range(4)], dim=1)
    assert torch.equal(_unfolded(folded.flatten(1, 2)), x)


@pytest.mark.parametrize("shape", [(8, 8, 8), (16, 24, 40)])
def test_every_voxel_is_answered(shape):
    network = CurveNetwork((4, 4, 4)).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 1, *shape)).shape == (1, 4, *shape)


def test_a_change_far_away_is_seen():
    """The receptive field is wider than the trunk: ribs and pelvis tell where the spine is."""
    torch.manual_seed(0)
    network = CurveNetwork((4, 4, 4)).eval()
    x = torch.randn(1, 1, 64, 32, 32)
    y = x.clone()
    y[0, 0, 4, 16, 16] += 50.0
    with torch.no_grad():
        change = (network(x) - network(y)).abs().amax((0, 1, 3, 4))
    assert change[44] > 0
