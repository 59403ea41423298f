import torch
from torch import nn

from spinexplain.config.training import PhaseSettings
from spinexplain.reproduce.unkept import Unkept
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.processes import start_fabric


class Ones:
    def load(self, step, part, device):
        return torch.ones(2, 1)

    def names(self, step):
        return ["one"]


def test_a_phase_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(1, 1)
    settings = PhaseSettings(steps=60, batch=2, decay="none")
    groups = [{"params": list(model.parameters()), "lr": 0.1, "weight_decay": 0.0}]
    phase = Phase("some", 0, settings, groups, lambda x: {"total": model(x).square().mean()})
    steps = list(run_phase(start_fabric(), model, Ones(), phase, 0, Unkept()))
    assert steps == list(range(1, 61))
    assert float(model(torch.ones(1, 1)).detach()) ** 2 < 0.1
    assert list(tmp_path.iterdir()) == []
