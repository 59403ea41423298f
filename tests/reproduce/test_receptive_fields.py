import pytest
from torch import nn

from spinexplain.reproduce.heads.trunks import shipped_trunk
from spinexplain.reproduce.receptive_fields import CUTS, cut_trunk


@pytest.fixture(scope="module")
def trunk():
    return shipped_trunk()


def test_a_cut_trunk_sees_less_the_fewer_convolutions_it_keeps(trunk):
    found = {cut: cut_trunk(trunk, cut) for cut in sorted(CUTS)}
    sizes = [made.field.size for made in found.values()]
    assert sizes == sorted(set(sizes))
    assert found[8].field == trunk.field
    for cut, made in found.items():
        kept = [layer for layer in made.layers if isinstance(layer, nn.Conv2d)]
        assert len(kept) == cut
        assert made.channels == kept[-1].out_channels
        assert not any(parameter.requires_grad for parameter in made.parameters())
