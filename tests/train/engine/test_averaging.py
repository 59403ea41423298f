import pytest
import torch
from torch import nn

from spinexplain.train.engine.averaging import follow, started_average, take_average


def line(weight):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, weight)
    return model


def test_without_a_factor_nothing_is_kept_or_taken():
    model = line(1.0)
    average = started_average(model, 0.0)
    follow(average, model, 0.0, 5)
    take_average(average, model)
    assert average == {}
    assert model.weight.item() == 1.0


def test_paper_and_pencil():
    """From 0 the weights jump to 1 and stay: a half, then three quarters of the way."""
    model = line(0.0)
    average = started_average(model, 0.5)
    nn.init.constant_(model.weight, 1.0)
    for step, expected in ((100, 0.5), (101, 0.75)):
        follow(average, model, 0.5, step)
        assert average["weight"].item() == pytest.approx(expected)
    take_average(average, model)
    assert model.weight.item() == pytest.approx(0.75)


def test_early_on_the_first_weights_are_soon_forgotten():
    model = line(0.0)
    average = started_average(model, 0.999)
    nn.init.constant_(model.weight, 1.0)
    follow(average, model, 0.999, 0)
    assert average["weight"].item() == pytest.approx(0.9)


def test_frozen_weights_are_left_alone():
    model = nn.Sequential(line(1.0), line(2.0))
    model[0].weight.requires_grad_(False)
    average = started_average(model, 0.9)
    assert list(average) == ["1.weight"]


def test_an_average_is_a_copy():
    model = line(1.0)
    average = started_average(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(5.0)
    assert average["weight"].item() == 1.0
