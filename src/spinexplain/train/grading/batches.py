"""Batches of vertebrae: crops or features, with what the losses of a grader need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels, grade_labels, grade_shares
from spinexplain.models.inputs import network_input
from spinexplain.train.engine.loop import Phase
from spinexplain.train.engine.sampling import (
    StepRows,
    balanced_rows,
    batch_rows,
    part_rows,
    part_shares,
)
from spinexplain.train.grading.augment import Crops, augmented_crops
from spinexplain.train.grading.augment_volume import volume_crops

BALANCED_EPOCH = 10_000_000
CPU = torch.device("cpu")
_MOVED = (
    *("height_loss", "everyone", "shares", "everyone_shares", "inside"),
    *("displacement_mm", "twins"),
)


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's crops as the network sees them.

    With several processes a batch is one process's part of the step, ``everyone`` holds the
    labels of all parts, by which weighted means are divided, and ``parts`` their number.
    ``shares`` and ``everyone_shares`` hold the raters' shares of the classes where the loss
    needs them; ``inside`` the cells' shares of the mask where features stand for the crops.
    ``displacement_mm`` (n, 12) holds what fractures moved, ``twins`` (n,) which crops are
    healthy twins.
    """

    x: Tensor
    labels: Tensor
    crops: Crops | None
    height_loss: Tensor | None = None
    everyone: Tensor | None = None
    parts: int = 1
    shares: Tensor | None = None
    everyone_shares: Tensor | None = None
    inside: Tensor | None = None
    displacement_mm: Tensor | None = None
    twins: Tensor | None = None


@dataclass(frozen=True, eq=False)
class CropBatches:
    """The batches of a phase: rows, crops and augmentation by seed and step alone.

    Parameters
    ----------
    data : TrainingSet
    config : TrainConfig
    phase : Phase
        Its number is part of the random key.
    masks : bool
        Whether the objective needs the masks.
    rows : callable, optional
        From a step to its rows; by default as ``TrainConfig.sampling`` says.
    """

    data: TrainingSet
    config: TrainConfig
    phase: Phase[Any]
    masks: bool = False
    rows: Callable[[int], StepRows] | None = None

    def load(
        self,
        step: int,
        part: tuple[int, int] = (0, 1),
        device: torch.device = CPU,
    ) -> Batch:
        """Return a process's part of a step; features instead of images where held."""
        whole = self.rows_of_step(step)
        return on_device(_batch(self.data, self.config, whole, self.masks, part), device)

    def names(self, step: int) -> list[str]:
        """Return subject, series and level of every vertebra of a step."""
        data = self.data
        rows = self.rows_of_step(step).index
        return [f"{data.subjects[i]} {data.series[i]} {data.levels[i]}" for i in rows]

    def rows_of_step(self, step: int) -> StepRows:
        """Return the rows of a step, and the number that stands for its epoch in augmentation.

        Balanced sampling shows a row several times an epoch, so there it is the step's own.
        """
        number, batch = self.phase.number, self.phase.settings.batch
        key = (self.config.seed, number)
        if self.rows is not None:
            chosen = self.rows(step)
            return replace(chosen, epoch=1000 * number + chosen.epoch)
        if self.config.sampling == "parts":
            rows = part_rows(_part_shares(self.data, self.config), batch, key, step)
            return StepRows(rows, BALANCED_EPOCH * (1 + number) + step, np.zeros_like(rows))
        if self.config.sampling == "balanced":
            rows, _ = balanced_rows(class_labels(self.data, self.config.task), batch, step, key)
            return StepRows(rows, BALANCED_EPOCH * (1 + number) + step, np.zeros_like(rows))
        rows, epoch = batch_rows(len(self.data), batch, step, key)
        return StepRows(rows, 1000 * number + epoch, np.zeros_like(rows))


def _part_shares(data: TrainingSet, config: TrainConfig) -> np.ndarray:
    """Return the shares of :func:`part_shares`; without truth all sites count as one."""
    labels = class_labels(data, config.task)
    unknown = np.full((len(data), 12), np.nan)
    moved = unknown if data.displacement_mm is None else data.displacement_mm
    twins = np.zeros(len(data), bool) if data.twins is None else data.twins
    return part_shares(labels, moved, twins, config.twin_share)


def _crops(data: TrainingSet, config: TrainConfig, chosen: StepRows, masks: bool) -> Crops:
    """Cut and augment the crops of one step."""
    rows = chosen.index
    if config.volume_augment is None:
        return augmented_crops(
            data, rows, config.input, config.augment, config.seed, chosen.epoch, masks=masks
        )
    key = (config.seed, chosen.epoch)
    return volume_crops(data, rows, config.input, config.volume_augment, key, chosen.copies, masks)


def _batch(
    data: TrainingSet,
    config: TrainConfig,
    whole: StepRows,
    masks: bool,
    part: tuple[int, int],
) -> Batch:
    """Return one process's inputs, labels and crops of a step."""
    chosen = replace(whole, index=whole.index[part[0] :: part[1]])
    chosen = replace(chosen, copies=whole.copies[part[0] :: part[1]])
    rows = chosen.index
    crops, inside = None, None
    if data.features is not None and data.inside_cells is not None and masks:
        inside = torch.from_numpy(data.inside_cells[rows])
    if data.features is None or (masks and inside is None):
        crops = _crops(data, config, chosen, masks)
    if data.features is not None:
        x = torch.from_numpy(data.features[rows])
    else:
        assert crops is not None
        x = network_input(crops.hu, crops.centers, config.input)
    labels = torch.from_numpy(grade_labels(data.grades[rows], config.task))
    known = data.height_loss
    losses = None if known is None else torch.from_numpy(known[rows].astype(np.float32))
    everyone = None
    if part[1] > 1:
        everyone = torch.from_numpy(grade_labels(data.grades[whole.index], config.task))
    return Batch(
        x=x,
        labels=labels,
        crops=crops,
        height_loss=losses,
        everyone=everyone,
        shares=_soft_targets(data, config, rows),
        everyone_shares=None if part[1] == 1 else _soft_targets(data, config, whole.index),
        inside=inside,
        displacement_mm=_rows_as_tensor(data.displacement_mm, rows),
        twins=_rows_as_tensor(data.twins, rows),
        parts=part[1],
    )


def _rows_as_tensor(values: np.ndarray | None, rows: np.ndarray) -> Tensor | None:
    return None if values is None else torch.from_numpy(values[rows])


def _soft_targets(data: TrainingSet, config: TrainConfig, rows: np.ndarray) -> Tensor | None:
    """Return the raters' shares (n, K) where the loss is against them."""
    if config.loss.grading != "soft":
        return None
    ratings = None if data.ratings is None else data.ratings[rows]
    return torch.from_numpy(grade_shares(data.grades[rows], ratings, config.task)).float()


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch; on the CPU it is left as it is."""
    if device.type == "cpu":
        return batch
    crops = batch.crops
    if crops is not None:
        masks = [
            None if m is None else m.to(device) for m in (crops.target, crops.evidence, crops.part)
        ]
        crops = Crops(crops.hu, crops.centers, *masks)
    moved = {
        name: None if tensor is None else tensor.to(device)
        for name in _MOVED
        for tensor in (getattr(batch, name),)
    }
    return Batch(batch.x.to(device), batch.labels.to(device), crops, **moved, parts=batch.parts)
