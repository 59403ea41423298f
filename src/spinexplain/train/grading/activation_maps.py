"""Where a plain classifier's class activation maps are to light up: on what a fracture moved."""

from __future__ import annotations

import torch
from torch import Tensor

from spinexplain.config.training import InputSpec, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ConfigError
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.part_losses import place_loss_of_logits
from spinexplain.models.receptive import ReceptiveField
from spinexplain.train.engine.journal import Terms
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.cells import covered_cells
from spinexplain.train.grading.part_targets import (
    LEAST_BROKEN,
    OTHER_GRADE,
    PartTargets,
    crop_targets,
    hidden_cells,
)


def broken_on_grid(
    field: ReceptiveField, targets: PartTargets, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return the evidence of all broken parts together on a grid, (N, *G); its fullest cell is 1.

    Parameters
    ----------
    field : ReceptiveField
    targets : PartTargets
    grid : tuple of int
    spec : InputSpec
    """
    cells = covered_cells(field, targets.broken.sum(dim=1), grid, spec)
    strongest = cells.flatten(1).amax(dim=1).clamp_min(LEAST_BROKEN)
    return cells / strongest.view(-1, *(1,) * len(grid))


def map_terms(linear: LinearNet, features: Tensor, batch: Batch, config: TrainConfig) -> Terms:
    """Return the term ``place`` of a classifier; nothing where no body is known.

    Parameters
    ----------
    linear : LinearNet
    features : Tensor, shape (N, C, *G)
        Of the trunk, on the crops of ``batch``.
    batch : Batch
    config : TrainConfig

    Notes
    -----
    The focal loss that places prototypes, on the sigmoid of
    :meth:`~spinexplain.models.heads.prototype.LinearNet.class_maps`. The map of a
    fracture's own class is to be 1 on the evidence and 0 elsewhere, those of all fractured
    classes 0 in healthy crops and, weighed 0.3, in fractures of another class. Nothing is
    asked of the healthy class's map, nor inside a body of which it is not known what moved.
    """
    crops = batch.crops
    if config.loss.lambda_place == 0 or crops is None:
        return {}
    targets = crop_targets(crops, batch.displacement_mm)
    if targets is None:
        return {}
    grid, healthy = tuple(features.shape[2:]), config.task.healthy_index
    fractures = [index for index in range(len(config.classes)) if index != healthy]
    maps, fractured = linear.class_maps(features)[:, fractures], batch.labels != healthy
    own = batch.labels[:, None] == torch.tensor(fractures, device=batch.labels.device)
    weight = torch.where(fractured[:, None] & ~own, OTHER_GRADE, 1.0)
    on_cells = (*own.shape, *(1,) * len(grid))
    broken = broken_on_grid(linear.trunk.field, targets, grid, config.input)
    hidden = hidden_cells(linear.trunk.field, crops, fractured & ~targets.known, grid, config.input)
    target = own.view(on_cells) * broken[:, None]
    return {"place": place_loss_of_logits(maps, target, weight.view(on_cells) * ~hidden)}


def check_places(data: TrainingSet, config: TrainConfig) -> None:
    """Refuse to place the maps of a classifier whose crops do not say where.

    Raises
    ------
    ConfigError
        If ``lambda_place`` is set and the crops are boxes, or without masks of their bodies.
    """
    if config.loss.lambda_place == 0 or (config.input.axes == 2 and data.target is not None):
        return
    kind = "boxes" if config.input.axes != 2 else "sheets without the masks of their bodies"
    raise ConfigError(
        f"[loss] lambda_place is {config.loss.lambda_place} and the crops are {kind}; a "
        "classifier's maps are placed on sheets with masks. Prepare the cohort with vertebra "
        "masks, or set lambda_place = 0."
    )
