"""What to know before a dissection is trusted, as keys of the text catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from spinexplain.explainers.dissection.statistics import Outcomes
from spinexplain.models.trunks.unet3d import BatchStatisticsNorm3d

# The paper found patterns in a network trained on 1,246 fractures, none with 254.
ENOUGH_FRACTURES = 1000
# Intervals by resampling persons are too narrow with fewer.
ENOUGH_PERSONS = 10


@dataclass(frozen=True)
class Caution:
    """A warning: ``caution.KEY`` of the catalogue, and what to fill in."""

    key: str
    values: Mapping[str, str | int] = field(default_factory=dict)


def cautions(
    model: nn.Module, outcomes: Outcomes, split: str, learned: int | None
) -> tuple[Caution, ...]:
    """Name what weakens a dissection.

    Parameters
    ----------
    model : nn.Module
    outcomes : Outcomes
        Of the vertebrae it was dissected with.
    split : str
        Where they are from.
    learned : int or None
        Fractures the network was trained on; None where that is not known, and the cohort's
        own stand for them.

    Returns
    -------
    tuple of Caution
        Keys ``few_learned``, ``few_in_cohort``, ``few_persons``, ``not_training`` and
        ``batch_statistics``.
    """
    return tuple(_found(model, outcomes, split, learned))


def _found(
    model: nn.Module, outcomes: Outcomes, split: str, learned: int | None
) -> Iterator[Caution]:
    fractures = int(outcomes.positive.sum())
    if learned is not None and learned < ENOUGH_FRACTURES:
        yield Caution("few_learned", {"count": learned})
    elif learned is None and fractures < ENOUGH_FRACTURES and split != "validation":
        yield Caution("few_in_cohort", {"count": fractures})
    persons = len(np.unique(outcomes.subjects[outcomes.positive]))
    if persons < ENOUGH_PERSONS:
        yield Caution("few_persons", {"count": persons})
    if split != "training":
        yield Caution("not_training", {"split": split})
    if any(isinstance(module, BatchStatisticsNorm3d) for module in model.modules()):
        yield Caution("batch_statistics")
