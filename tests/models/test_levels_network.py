import torch

from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.models.localizing import LEVELS, SECTION_SHAPE


def test_every_position_is_answered():
    network = LevelsNetwork((4, 4, 4, 4), 8).eval()
    with torch.no_grad():
        answer = network(torch.zeros(2, 1, 48, *SECTION_SHAPE))
    assert answer.shape == (2, LEVELS.stop, 48)


def test_a_position_sees_all_of_a_long_spine():
    torch.manual_seed(0)
    network = LevelsNetwork((4, 4, 4, 4), 8).eval()
    x = torch.randn(1, 1, 128, *SECTION_SHAPE)
    y = x.clone()
    y[0, 0, :32] += 5.0
    with torch.no_grad():
        change = (network(x) - network(y)).abs().amax((0, 1))
    assert change[90] > 0
