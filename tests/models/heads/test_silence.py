import pytest
import torch

from spinexplain.errors import ConfigError
from spinexplain.models.heads.silence import SilencedUnits, silence_of


def test_held_units_hear_nothing_and_pass_no_gradient():
    layer = SilencedUnits(3, [0, 2])
    layer.levels[:] = torch.tensor([0.5, 9.0, -1.0])
    features = torch.randn(2, 3, 2, 2, 2, requires_grad=True)
    out = layer(features)
    assert (out[:, 0] == 0.5).all()
    assert (out[:, 2] == -1).all()
    assert torch.equal(out[:, 1], features[:, 1])
    out.sum().backward()
    assert features.grad.sum(dim=(0, 2, 3, 4)).tolist() == [0, 16, 0]


def test_without_units_nothing_stands_in_the_weights():
    assert not silence_of(4, ()).state_dict()


@pytest.mark.parametrize("units", [(3,), (-1,), (1, 1), (0, 1, 2)])
def test_units_that_are_not_there_are_refused(units):
    with pytest.raises(ConfigError, match="silenced is"):
        SilencedUnits(3, units)
