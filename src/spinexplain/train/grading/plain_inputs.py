"""A set's crops without augmentation, batch by batch: as network inputs, or as held features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.inputs import batch_size, network_input
from spinexplain.train.grading.augment import Crops, plain_crops


def inputs_in_batches(
    data: TrainingSet, index: np.ndarray, spec: InputSpec
) -> Iterator[tuple[np.ndarray, Tensor, Crops]]:
    """Yield (rows, network inputs, crops) of the unaugmented set, batch by batch.

    The inputs are the trunk's features where the set holds them.
    """
    for rows in row_batches(index, spec):
        crops = plain_crops(data, rows, spec)
        yield rows, plain_inputs(data, rows, crops, spec), crops


def plain_batches(data: TrainingSet, index: np.ndarray, spec: InputSpec) -> Iterator[Tensor]:
    """Yield the inputs of :func:`inputs_in_batches` alone; held features need no crop cut."""
    unmasked = replace(data, target=None, evidence=None)
    for rows in row_batches(index, spec):
        if data.features is not None:
            yield torch.from_numpy(data.features[rows])
        else:
            crops = plain_crops(unmasked, rows, spec)
            yield network_input(crops.hu, crops.centers, spec)


def row_batches(index: np.ndarray, spec: InputSpec) -> Iterator[np.ndarray]:
    """Yield the rows, as many at a time as a network of these inputs takes."""
    batch = batch_size(spec)
    for start in range(0, len(index), batch):
        yield index[start : start + batch]


def plain_inputs(
    data: TrainingSet, rows: np.ndarray, crops: Crops | None, spec: InputSpec
) -> Tensor:
    """Return the network's inputs of unaugmented crops, or their features where held."""
    if data.features is not None:
        return torch.from_numpy(data.features[rows])
    assert crops is not None
    return network_input(crops.hu, crops.centers, spec)
