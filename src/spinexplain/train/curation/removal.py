"""Prototypes taken out of a network."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from spinexplain.config.training import HeadSettings, TrainConfig
from spinexplain.errors import ModelError
from spinexplain.models.heads.parts import prototype_counts
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.trunks.backbones import build_trunk


def kept_after(head: HeadSettings, classes: int, rejected: Collection[int]) -> tuple[int, ...]:
    """Return which of the prototypes that settings make are left.

    Parameters
    ----------
    head : HeadSettings
        Of a model from which prototypes may have been taken before.
    classes : int
    rejected : collection of int
        Counted from 0 among the prototypes that are there now.

    Examples
    --------
    >>> kept_after(HeadSettings(prototypes_per_class=2, kept=(0, 2, 3)), 2, {1})
    (0, 3)
    """
    there = head.kept or tuple(range(sum(prototype_counts(head, classes))))
    return tuple(original for index, original in enumerate(there) if index not in rejected)


def without_prototypes(
    model: PrototypeNet, config: TrainConfig, rejected: Collection[int]
) -> tuple[PrototypeNet, TrainConfig]:
    """Take prototypes out of a network; the connections of the others stay as they are.

    Parameters
    ----------
    model : PrototypeNet
        Not changed.
    config : TrainConfig
        Its settings.
    rejected : collection of int
        Counted from 0.

    Returns
    -------
    model : PrototypeNet
        In evaluation mode.
    config : TrainConfig
        With ``head.kept``.

    Raises
    ------
    ModelError
        If a class would be left without a prototype.
    """
    owner = model.prototype_class.cpu().numpy()
    left = np.array([i for i in range(len(owner)) if i not in rejected], int)
    for index, name in enumerate(config.classes):
        if not (owner[left] == index).any():
            raise ModelError(
                f"all prototypes of class {name} are rejected; expected at least one that stays. "
                "Keep one, or choose --replace or --fine-tune."
            )
    kept = kept_after(config.head, len(config.classes), rejected) if rejected else config.head.kept
    changed = config.model_copy(update={"head": config.head.model_copy(update={"kept": kept})})
    trunk = config.trunk.model_copy(update={"weights": "none"})
    with torch.random.fork_rng(devices=[]):
        fresh = PrototypeNet(
            build_trunk(trunk, config.input), changed.head, len(config.classes), config.input.axes
        )
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    rows = torch.from_numpy(left)
    state["prototypes"] = state["prototypes"][rows]
    state["prototype_class"] = state["prototype_class"][rows]
    state["last_layer.weight"] = state["last_layer.weight"][:, rows]
    fresh.load_state_dict(state)
    return fresh.eval(), changed
