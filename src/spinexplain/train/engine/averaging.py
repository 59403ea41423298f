"""A running average of a model's weights, which a phase of descent can end with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

Average = dict[str, Tensor]
"""Trainable tensors by name."""


def started_average(model: nn.Module, factor: float) -> Average:
    """Return a copy of the trainable weights; nothing where ``factor`` is 0."""
    if factor == 0:
        return {}
    return {
        name: parameter.detach().clone()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


@torch.no_grad()
def follow(average: Average, model: nn.Module, factor: float, step: int) -> None:
    """Move an average towards the weights after a step, in place.

    Parameters
    ----------
    average : dict of str to Tensor
        As :func:`started_average` returns it.
    model : nn.Module
    factor : float
        Share of the average that stays, 0 to 1.
    step : int
        Counted from 0. Early on less stays, so that the first weights are soon forgotten.

    Notes
    -----
    ``average = k average + (1 - k) weights``, ``k = min(factor, (1 + step) / (10 + step))``:
    the averaging of Polyak and Ruppert with exponential weights.

    Examples
    --------
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = started_average(model, 0.9)
    >>> before = float(average["weight"])
    >>> _ = nn.init.constant_(model.weight, before + 1)
    >>> follow(average, model, 0.9, step=1000)
    >>> round(float(average["weight"]) - before, 3)
    0.1
    """
    if not average:
        return
    kept = min(factor, (1 + step) / (10 + step))
    weights = dict(model.named_parameters())
    for name, value in average.items():
        value.lerp_(weights[name], 1 - kept)


@torch.no_grad()
def take_average(average: Mapping[str, Tensor], model: nn.Module) -> None:
    """Replace a model's trainable weights by their average, in place."""
    weights = dict(model.named_parameters())
    for name, value in average.items():
        weights[name].copy_(value)
