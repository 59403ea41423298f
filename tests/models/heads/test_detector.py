"""The detector: its published size and cost, and two logits that are one log odds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.heads.detector import DetectorNet, FractureHead
from spinexplain.models.trunks.unet3d import CompactEncoder3D, UNet3DEncoder


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_released_detector_has_12_778_777_parameters():
    with torch.device("meta"):
        assert parameters(DetectorNet(UNet3DEncoder(), size=64)) == 12_778_777


def test_detector_at_96_widens_only_the_first_linear_layer():
    with torch.device("meta"):
        large = parameters(DetectorNet(UNet3DEncoder(), size=96))
    assert large == 12_778_777 + (12**3 - 8**3) * 8 * 256


def multiplications(network, shape):
    """Count multiply-adds of all convolutions and linear layers, by hooks."""
    total = 0

    def count(module, _, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    kinds = (nn.Conv3d, nn.Linear)
    handles = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, kinds)]
    network(torch.zeros(shape, device="meta"))
    for handle in handles:
        handle.remove()
    return total


def test_costs_at_96_are_the_measured_ones():
    """243.9 GFLOP for encoder and head, 38.2 for the compact encoder; 2 per multiply-add."""
    with torch.device("meta"):
        whole = DetectorNet(UNet3DEncoder(), size=96).eval()
        compact = CompactEncoder3D().eval()
    box = (1, 1, 96, 96, 96)
    assert 2e-9 * multiplications(whole, box) == pytest.approx(243.9, abs=0.5)
    assert 2e-9 * multiplications(whole.trunk, box) == pytest.approx(228, abs=0.5)
    assert 2e-9 * multiplications(compact, box) == pytest.approx(38.2, abs=0.05)


@pytest.fixture(scope="module")
def boxes():
    return torch.from_numpy(np.random.default_rng(0).uniform(0, 1, (3, 1, 16, 16, 16))).float()


def detector(statistics="running"):
    torch.manual_seed(0)
    return DetectorNet(UNet3DEncoder(statistics=statistics), size=16).eval()


def test_ordinary_norm_does_not_look_at_the_batch(boxes):
    with torch.no_grad():
        together = detector()(boxes)
        alone = torch.cat([detector()(box[None]) for box in boxes])
    torch.testing.assert_close(together, alone)


def test_as_released_depends_on_the_batch_but_leaves_no_trace(boxes):
    network = detector("as_released")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        together, alone = network.trunk(boxes)[:1], network.trunk(boxes[:1])
        again = network.trunk(boxes)[:1]
    assert not torch.allclose(together, alone, rtol=0.01)
    assert torch.equal(together, again)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_softmax_is_the_sigmoid_of_the_log_odds_and_the_losses_agree(boxes):
    network = detector()
    with torch.no_grad():
        logits, odds = network(boxes), network.head(network.trunk(boxes))
    torch.testing.assert_close(torch.softmax(logits, dim=1)[:, 1], torch.sigmoid(odds))
    truth = torch.tensor([1, 0, 1])
    binary = F.binary_cross_entropy_with_logits(odds, truth.float())
    torch.testing.assert_close(F.cross_entropy(logits, truth), binary)


def test_dropout_is_everywhere_in_the_head_or_nowhere():
    for share in (0.0, 0.3):
        head = FractureHead(8, 2, dropout=share)
        drops = [m.p for m in head.modules() if isinstance(m, nn.Dropout)]
        assert drops == [share] * 7


def test_head_has_no_rectification_between_its_convolutions():
    kinds = [type(m) for m in FractureHead(8, 2).convolutions]
    assert kinds == [nn.Conv3d, nn.InstanceNorm3d, nn.Dropout] * 4


def test_other_sizes_are_refused():
    with pytest.raises(ConfigError, match="size is 60; expected a multiple of 8"):
        DetectorNet(CompactEncoder3D(), size=60)
    with pytest.raises(ConfigError, match="at least 16"):
        DetectorNet(CompactEncoder3D(), size=8)
    with pytest.raises(ModelError, match="built for 2 cells"):
        DetectorNet(CompactEncoder3D(), size=16).eval()(torch.zeros(1, 1, 24, 24, 24))
