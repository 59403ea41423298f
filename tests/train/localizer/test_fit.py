import numpy as np
import torch

from spinexplain.models.curve_network import CurveNetwork
from spinexplain.models.levels_network import LevelsNetwork
from spinexplain.train.localizer.fit import FitSettings, fit_curve_network, fit_levels_network

SMALL = FitSettings(steps=2, batch=1, precision="fp32")


def small_levels():
    torch.manual_seed(0)
    return LevelsNetwork((4, 4, 4, 4), 8)


def test_a_fit_leaves_its_journal_and_is_not_begun_again(drawn_body, tmp_path):
    torch.manual_seed(0)
    first = fit_curve_network([drawn_body], tmp_path, SMALL, CurveNetwork((4, 4, 4)))
    log = (tmp_path / "log.csv").read_text()
    assert log.count("overlap") == 2
    torch.manual_seed(1)
    again = fit_curve_network([drawn_body], tmp_path, SMALL, CurveNetwork((4, 4, 4)))
    assert (tmp_path / "log.csv").read_text() == log
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_same_seed_gives_the_same_weights(drawn_body, tmp_path):
    weights = []
    for name in ("one", "two"):
        network = fit_levels_network([drawn_body], {}, tmp_path / name, SMALL, small_levels())
        weights.append(network.answer.weight.detach().numpy())
    assert np.array_equal(*weights)
    assert not np.array_equal(weights[0], small_levels().answer.weight.detach().numpy())


def test_a_given_network_is_trained_on_under_its_own_name(drawn_body, tmp_path):
    begun = small_levels()
    gentle = FitSettings(steps=2, batch=1, precision="fp32", rate=1e-6, average=0.5)
    fit_levels_network([drawn_body], {}, tmp_path, gentle, begun, name="levels-further")
    assert "levels-further,1," in (tmp_path / "log.csv").read_text()
    moved = (begun.answer.weight - small_levels().answer.weight).abs().max()
    assert 0 < float(moved.detach()) < 1e-5
