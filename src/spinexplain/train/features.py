"""Trunk features kept in memory, for phases that change neither the trunk nor the crops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from spinexplain.config import AugmentSettings, InputSpec, TrainConfig
from spinexplain.models.backbones import Trunk, bypassing
from spinexplain.train.dataset import TrainingSet
from spinexplain.train.projection import inputs_in_batches

LARGEST_CACHE_BYTES = 2_000_000_000


def changes_nothing(settings: AugmentSettings) -> bool:
    """Whether augmentation leaves every crop as it is.

    Examples
    --------
    >>> changes_nothing(AugmentSettings())
    False
    """
    return all(value == 0 for value in settings.model_dump().values())


@torch.no_grad()
def with_features(trunk: Trunk, data: TrainingSet, spec: InputSpec) -> TrainingSet:
    """Pass the unaugmented crops through a trunk once and keep what it gives.

    Parameters
    ----------
    trunk : Trunk
        Used in evaluation mode.
    data : TrainingSet
    spec : InputSpec

    Returns
    -------
    TrainingSet
        The same rows with ``features``; 4 bytes x channels x cells each.
    """
    trunk.eval()
    rows = np.arange(len(data))
    parts = [trunk(x) for _, x, _ in inputs_in_batches(data, rows, spec)]
    return replace(data, features=torch.cat(parts).contiguous().numpy())


def cache_bytes(trunk: Trunk, rows: int, spec: InputSpec) -> int:
    """Return how much memory the features of ``rows`` crops take."""
    cells = -(-spec.size // trunk.field.stride)
    return 4 * rows * trunk.channels * cells**spec.axes


@contextmanager
def cached_where_possible(
    trunk: Trunk, data: TrainingSet, config: TrainConfig
) -> Iterator[TrainingSet]:
    """Bypass a frozen trunk by its features, if nothing is augmented and memory allows.

    Yields the set to train on: with features inside the context, or ``data`` as it is.
    """
    small = cache_bytes(trunk, len(data), config.input) <= LARGEST_CACHE_BYTES
    still = config.volume_augment is None and changes_nothing(config.augment)
    if not (still and small):
        yield data
        return
    cached = with_features(trunk, data, config.input)
    with bypassing(trunk):
        yield cached
