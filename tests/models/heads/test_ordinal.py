"""Losses against oracles in plain Python."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ShapeError
from spinexplain.models.heads.ordinal import (
    GRADING_LOSSES,
    ordinal_loss,
    soft_cross_entropy,
    soft_labels,
)


def ordinal_oracle(logits, labels, weights):
    total, share = 0.0, 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        scores = [math.exp(value) for value in row]
        p = [score / sum(scores) for score in scores]
        cost = sum(
            -math.log(sum(p[k + 1 :])) if label > k else -math.log(sum(p[: k + 1]))
            for k in range(len(p) - 1)
        )
        total += float(weights[label]) * cost
        share += float(weights[label])
    return total / share


@given(st.integers(0, 1000), st.integers(2, 4))
def test_the_ordinal_loss_counts_boundaries(seed, classes):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(7, classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (7,), generator=generator)
    weights = torch.rand(classes, generator=generator, dtype=torch.float64) + 0.1
    found = float(ordinal_loss(logits, labels, weights))
    assert found == pytest.approx(ordinal_oracle(logits, labels, weights))


def test_with_two_classes_it_is_the_cross_entropy():
    logits, labels = torch.randn(9, 2), torch.arange(9) % 2
    weights = torch.tensor([0.3, 2.0])
    expected = F.cross_entropy(logits, labels, weight=weights)
    torch.testing.assert_close(ordinal_loss(logits, labels, weights), expected)


def test_it_stays_finite_and_learns_where_the_softmax_is_sure():
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    loss = ordinal_loss(logits, torch.tensor([2]), torch.ones(3))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0] > 0


def test_soft_labels_share_the_readings():
    found = soft_labels(torch.tensor([[0, 2, 2], [1, -1, -1]]), 3)
    torch.testing.assert_close(found, torch.tensor([[1 / 3, 0, 2 / 3], [0, 1.0, 0]]))


@pytest.mark.parametrize("readings", [[[-1, -1]], [[0, 3]], [[-2, 0]]])
def test_readings_that_can_not_be(readings):
    with pytest.raises(ShapeError):
        soft_labels(torch.tensor(readings), 3)


def test_agreeing_raters_give_the_ordinary_loss():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    weights = torch.tensor([0.1, 1.0, 2.0])
    shares = soft_labels(labels[:, None].repeat(1, 4), 3)
    expected = F.cross_entropy(logits, labels, weight=weights)
    torch.testing.assert_close(soft_cross_entropy(logits, shares, weights), expected)


def test_settings_name_these_losses():
    from typing import get_args

    from spinexplain.config.training import LossSettings

    assert set(get_args(LossSettings.model_fields["grading"].annotation)) == {
        *GRADING_LOSSES,
        "soft",
    }
