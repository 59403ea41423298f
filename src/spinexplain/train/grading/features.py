"""Trunk features kept in memory, for phases that change neither the trunk nor the crops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from spinexplain.config.heads import head_of
from spinexplain.config.training import AugmentSettings, InputSpec, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.trunks.backbones import Trunk, build_trunk, bypassing
from spinexplain.train.grading.augment import inside_mask
from spinexplain.train.grading.cells import share_on_grid
from spinexplain.train.grading.plain_inputs import inputs_in_batches
from spinexplain.train.grading.run import seeded_build

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
def with_features(
    trunk: Trunk, data: TrainingSet, spec: InputSpec, inside: str = "body"
) -> TrainingSet:
    """Pass the unaugmented crops through a trunk once and keep what it gives.

    Parameters
    ----------
    trunk : Trunk
        Used in evaluation mode.
    data : TrainingSet
    spec : InputSpec
    inside : str
        What the loss on place counts as inside; see ``LossSettings``.

    Returns
    -------
    TrainingSet
        The same rows with ``features``, 4 bytes x channels x cells each, and, if there are
        masks, ``inside_cells``.
    """
    trunk.eval()
    features, cells = [], []
    for _, x, crops in inputs_in_batches(data, np.arange(len(data)), spec):
        features.append(trunk(x))
        if (mask := inside_mask(crops, inside)) is not None:
            grid = tuple(features[-1].shape[2:])
            cells.append(share_on_grid(trunk.field, mask, grid, spec))
    return replace(
        data,
        features=torch.cat(features).contiguous().numpy(),
        inside_cells=torch.cat(cells).numpy() if cells else None,
    )


def keeps_trunk(config: TrainConfig) -> bool:
    """Whether a training leaves the trunk as it starts and shows it the same crops always.

    Then its features are computed once for every head that stands on it.

    Examples
    --------
    >>> still = dict.fromkeys(AugmentSettings.model_fields, 0.0)
    >>> none = {"steps": 0}
    >>> keeps_trunk(TrainConfig(augment=still, classifier=none, joint=none))
    True
    """
    return (
        head_of(config.head.kind).has_prototypes
        and config.classifier.steps == 0
        and config.joint.steps == 0
        and config.last_layer.augmented_views == 0
        and config.volume_augment is None
        and changes_nothing(config.augment)
    )


def starting_features(config: TrainConfig, data: TrainingSet) -> TrainingSet:
    """Return the set with the features of the trunk as :func:`keeps_trunk` has it all along.

    What does not fit into memory is left as it is.
    """
    with seeded_build(config.seed):
        trunk = build_trunk(config.trunk, config.input)
    if cache_bytes(trunk, len(data), config.input) > LARGEST_CACHE_BYTES:
        return data
    return with_features(trunk, data, config.input, config.loss.inside)


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
    if data.features is not None:
        yield data
        return
    small = cache_bytes(trunk, len(data), config.input) <= LARGEST_CACHE_BYTES
    still = config.volume_augment is None and changes_nothing(config.augment)
    if not (still and small):
        yield data
        return
    cached = with_features(trunk, data, config.input, config.loss.inside)
    with bypassing(trunk):
        yield cached
