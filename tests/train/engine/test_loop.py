from dataclasses import dataclass

import pytest
import torch
from torch import nn

from spinexplain.config.training import PhaseSettings
from spinexplain.errors import ModelError
from spinexplain.train.engine.averaging import follow
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.loop import Phase, run_phase, seeded
from spinexplain.train.engine.processes import start_fabric


@dataclass
class Numbers:
    """Batches without crops: a number each, from the step alone."""

    worst: int = 99

    def load(self, step, part, device):
        return torch.tensor(float("nan") if step == self.worst else 1.0 + step)

    def names(self, step):
        return [f"number {step}"] * 10


def phase_of(model, steps=6, average=0.0):
    settings = PhaseSettings(steps=steps, batch=1, decay="none", average=average)
    groups = [{"params": list(model.parameters()), "lr": 0.1, "weight_decay": 0.0}]

    def objective(x):
        return {"total": (model(torch.rand(1)) - x).square().sum()}

    return Phase("line", 3, settings, groups, objective)


def line():
    with seeded(1):
        return nn.Linear(1, 1)


def descended(folder, stop=None, resume=False, average=0.0):
    folder.mkdir(exist_ok=True)
    model = line()
    phase = phase_of(model, average=average)
    steps = run_phase(start_fabric(), model, Numbers(), phase, 7, Journal(folder, resume))
    for done in steps:
        if done == stop:
            break
    return model


def test_it_descends_without_knowing_what_a_batch_is(tmp_path):
    before, after = line(), descended(tmp_path / "run")
    assert not torch.equal(before.weight, after.weight)
    assert (tmp_path / "run" / "line.ckpt").is_file()


def test_resumed_it_gives_the_same_bits_whatever_the_global_state(tmp_path, monkeypatch):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    whole = descended(tmp_path / "whole")
    torch.rand(5)
    descended(tmp_path / "cut", stop=4)
    torch.rand(3)
    resumed = descended(tmp_path / "cut", resume=True)
    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.bias, resumed.bias)
    logs = [(tmp_path / name / "log.csv").read_bytes() for name in ("whole", "cut")]
    assert logs[0] == logs[1]


def test_it_ends_with_the_average_of_the_weights_where_asked_to(tmp_path, monkeypatch):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 1)
    seen = []
    monkeypatch.setattr(
        "spinexplain.train.engine.loop.follow",
        lambda average, model, factor, step: (
            seen.append(model.weight.item()),
            follow(average, model, factor, step),
        ),
    )
    start = line().weight.item()
    model = descended(tmp_path / "run", average=0.9)
    expected = start
    for step, weight in enumerate(seen):
        kept = min(0.9, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weight
    assert len(seen) == 6
    assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() != pytest.approx(seen[-1])


def test_an_average_is_resumed_bit_by_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 2)
    whole = descended(tmp_path / "whole", average=0.9)
    descended(tmp_path / "cut", stop=4, average=0.9)
    resumed = descended(tmp_path / "cut", resume=True, average=0.9)
    again = descended(tmp_path / "cut", resume=True, average=0.9)
    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.weight, again.weight)


def test_a_loss_that_is_not_finite_names_its_batch(tmp_path):
    model = line()
    phase = phase_of(model)
    steps = run_phase(start_fabric(), model, Numbers(worst=2), phase, 7, Journal(tmp_path))
    with pytest.raises(ModelError, match=r"phase line at step 2 .*number 2, .* and 2 more"):
        list(steps)
