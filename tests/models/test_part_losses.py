"""Place and part losses against a slow twin and by hand."""

import math

import numpy as np
import torch

from spinexplain.models.part_losses import LIT, part_loss, place_loss, place_loss_of_logits


def slow_place_loss(activation, target, weight):
    total, count = 0.0, 0.0
    for a, m, w in zip(activation.ravel(), target.ravel(), weight.ravel(), strict=True):
        a = min(max(a, 1e-4), 1 - 1e-4)
        if m >= LIT:
            total += w * (1 - a) ** 2 * math.log(a)
            count += w
        else:
            total += w * (1 - m) ** 4 * a**2 * math.log(1 - a)
    return -total / max(count, 1.0)


def test_place_loss_is_its_slow_twin():
    rng = np.random.default_rng(1)
    activation, target = rng.random((2, 3, 4, 4)), rng.random((2, 3, 4, 4))
    weight = rng.integers(0, 2, (2, 3, 1, 1)) * np.ones((2, 3, 4, 4))
    found = place_loss(*(torch.from_numpy(x) for x in (activation, target, weight)))
    assert math.isclose(float(found), slow_place_loss(activation, target, weight), rel_tol=1e-9)


def test_place_loss_of_logits_is_that_of_their_sigmoid():
    rng = np.random.default_rng(2)
    logits, target = rng.normal(0, 2, (2, 3, 4, 4)), rng.random((2, 3, 4, 4))
    weight = np.ones_like(target)
    found = place_loss_of_logits(*(torch.from_numpy(x) for x in (logits, target, weight)))
    slow = slow_place_loss(1 / (1 + np.exp(-logits)), target, weight)
    assert math.isclose(float(found), slow, rel_tol=1e-9)


def test_a_dark_cell_far_off_its_target_still_learns():
    """Where the clamped loss has no slope, that of logits falls by 1 a logit: -log a = -x."""
    logits = torch.full((1, 1, 1), -30.0, requires_grad=True)
    one = torch.ones(1, 1, 1)
    place_loss_of_logits(logits, one, one).backward()
    assert math.isclose(float(logits.grad), -1.0, rel_tol=1e-5)


def test_nothing_is_asked_where_the_weight_is_zero():
    activation = torch.full((1, 1, 2, 2), 0.9, requires_grad=True)
    place_loss(activation, torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 1, 1)).backward()
    assert activation.grad.abs().sum() == 0


def test_lighting_up_on_the_part_costs_less_than_beside_it():
    target = torch.tensor([[[[1.0, 0.0]]]])
    right, wrong = torch.tensor([[[[0.9, 0.1]]]]), torch.tensor([[[[0.1, 0.9]]]])
    one = torch.ones(1, 1, 1, 1)
    assert place_loss(right, target, one) < 0.1 * place_loss(wrong, target, one)


def test_part_loss_by_hand():
    """softmax(8 x (0.5, 0.25)) = (e^2, 1) / (e^2 + 1)."""
    found = part_loss(torch.tensor([[0.5, 0.25]]), torch.tensor([[0.0, 3.0]]))
    assert math.isclose(float(found), math.log(math.e**2 + 1), rel_tol=1e-5)


def test_rows_without_displacement_are_left_out():
    strengths = torch.tensor([[0.5, 0.5], [0.9, 0.1]])
    one = part_loss(strengths[:1], torch.tensor([[1.0, 1.0]]))
    assert part_loss(strengths, torch.tensor([[1.0, 1.0], [0.0, 0.0]])) == one
    assert part_loss(strengths, torch.zeros(2, 2)) == 0
