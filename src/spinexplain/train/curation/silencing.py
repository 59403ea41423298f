"""Units of a trunk silenced in a network for good."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from spinexplain.config.training import HeadSettings, InputSpec
from spinexplain.models.build import build_model
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.heads.silence import SilencedUnits
from spinexplain.models.trunks.backbones import Trunk


def with_silenced(
    model: LinearNet | DetectorNet,
    head: HeadSettings,
    classes: int,
    spec: InputSpec,
    levels: Mapping[int, float],
) -> tuple[LinearNet | DetectorNet, HeadSettings]:
    """Hold units of a network's trunk at one level each; all weights stay as they are.

    Parameters
    ----------
    model : LinearNet or DetectorNet
        Not changed. Units that it holds already stay held.
    head : HeadSettings
        Its head's.
    classes : int
    spec : InputSpec
    levels : mapping of int to float
        Unit, counted from 0, to what it is held at: its mean over the vertebrae dissected.

    Returns
    -------
    model : LinearNet or DetectorNet
        In evaluation mode.
    head : HeadSettings
        With ``silenced``.
    """
    held = {**held_levels(model), **levels}
    changed = head.model_copy(update={"silenced": tuple(sorted(held))})
    trunk = copy.deepcopy(model.trunk)
    assert isinstance(trunk, Trunk)
    with torch.random.fork_rng(devices=[]):
        fresh = build_model(trunk, changed, classes, spec)
    assert isinstance(fresh, LinearNet | DetectorNet)
    own = {k: v for k, v in model.state_dict().items() if not k.startswith("silence.")}
    missing, surplus = fresh.load_state_dict(own, strict=False)
    assert not surplus
    assert set(missing) == {"silence.held", "silence.levels"}
    silence = fresh.get_submodule("silence")
    assert isinstance(silence, SilencedUnits)
    for unit, level in held.items():
        silence.levels[unit] = level
    return fresh.eval(), changed


def held_levels(model: nn.Module) -> dict[int, float]:
    """Return the units that a network holds, with their levels."""
    silence = getattr(model, "silence", None)
    if not isinstance(silence, SilencedUnits):
        return {}
    return {int(unit): float(silence.levels[unit]) for unit in silence.held.nonzero()[:, 0]}
