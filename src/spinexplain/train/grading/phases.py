"""The steps of a ProtoVerse training between which the model changes its nature."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinexplain.config.training import PhaseSettings, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels, class_shares
from spinexplain.errors import ConfigError
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import batch_size, network_input
from spinexplain.models.losses import class_weights
from spinexplain.train.grading.augment import augmented_crops, inside_mask
from spinexplain.train.grading.last_layer import SOLVERS
from spinexplain.train.grading.objectives import HeightBeside, WarmUp, target_cells
from spinexplain.train.grading.part_targets import placed_targets
from spinexplain.train.grading.plain_inputs import inputs_in_batches, plain_batches

VIEW_EPOCH = 900_000
_TRIES = 200  # crops looked at for one whose fracture lies in a prototype's part


def weights_of(data: TrainingSet, config: TrainConfig, scheme: str) -> Tensor:
    """Return the class weights of a training set by a scheme of ``class_weights``."""
    counts = np.bincount(class_labels(data, config.task), minlength=len(config.classes))
    return class_weights(torch.from_numpy(counts), scheme)


def last_layer_weights(data: TrainingSet, config: TrainConfig) -> np.ndarray:
    """Return the class weights (K,) the last layer is fitted with.

    Raises
    ------
    ConfigError
        If ``class_shares`` does not name exactly the classes, or a share is not positive.
    """
    shares = config.last_layer.class_shares
    if shares is None:
        scheme = config.last_layer.class_weights or config.loss.class_weights
        return weights_of(data, config, scheme).double().numpy()
    if set(shares) != set(config.classes) or min(shares.values()) <= 0:
        raise ConfigError(
            f"[last_layer] class_shares is {shares}; expected a positive share for each of "
            f"{', '.join(config.classes)}."
        )
    counts = np.bincount(class_labels(data, config.task), minlength=len(config.classes))
    return np.array([shares[name] for name in config.classes]) / counts * len(data)


def linear_groups(model: WarmUp, settings: PhaseSettings) -> list[dict[str, Any]]:
    """Return the parameter groups of the plain classifier."""
    return [
        _group(model.linear.trunk, settings.trunk_lr, settings.weight_decay),
        _group(model.linear.last_layer, settings.head_lr, settings.weight_decay),
        _group(model.height, settings.head_lr, settings.weight_decay),
    ]


def prototype_groups(
    model: PrototypeNet, settings: PhaseSettings, with_trunk: bool
) -> list[dict[str, Any]]:
    """Return the groups of the warm or joint phase: no decay on prototypes, last layer fixed."""
    groups = [
        _group(model.add_on, settings.head_lr, settings.weight_decay),
        {"params": [model.prototypes], "lr": settings.head_lr, "weight_decay": 0.0},
    ]
    if with_trunk:
        groups.append(_group(model.trunk, settings.trunk_lr, settings.weight_decay))
    return groups


def height_group(model: HeightBeside, settings: PhaseSettings) -> dict[str, Any]:
    """Return the parameter group of the regression beside a prototype network."""
    return _group(model.height, settings.head_lr, settings.weight_decay)


def _group(module: nn.Module, lr: float, weight_decay: float) -> dict[str, Any]:
    return {"params": list(module.parameters()), "lr": lr, "weight_decay": weight_decay}


@torch.no_grad()
def start_from_patches(model: PrototypeNet, data: TrainingSet, config: TrainConfig) -> None:
    """Set every prototype to a latent patch of a random crop of its class, in place.

    Taken from a cell inside the target where masks exist, so that no prototype starts on
    the background; of an addressed prototype from its part.
    """
    model.eval()
    labels = class_labels(data, config.task)
    rng = np.random.default_rng([config.seed, 2])
    for prototype, owner in enumerate(model.prototype_class.tolist()):
        for _ in range(_TRIES if model.parts and data.target is not None else 1):
            row = rng.choice(np.flatnonzero(labels == owner), 1)
            (_, x, crops), *_ = inputs_in_batches(data, row, config.input)
            latent = model.latent(x)[0]
            cells, grid = latent.flatten(1).T, tuple(latent.shape[1:])
            share = torch.ones(len(cells))
            mask = inside_mask(crops, config.loss.inside)
            if mask is not None:
                share = target_cells(model, mask, grid, config).flatten()
            if model.parts and data.target is not None:
                placed = placed_targets(model, crops, data, row, config.input, grid)
                share = placed[0, prototype].flatten()
            inside = torch.nonzero(share >= 0.5).flatten().numpy()
            if len(inside):
                break
        pick = rng.choice(inside) if len(inside) else rng.integers(len(cells))
        model.prototypes[prototype] = cells[int(pick)]


@torch.no_grad()
def cached_similarities(
    model: PrototypeNet, data: TrainingSet, config: TrainConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Pass the set once through the trunk; return similarities (n, P) and labels (n,).

    The unaugmented crops, then ``augmented_views`` further views of each.
    """
    model.eval()
    labels = class_labels(data, config.task)
    parts = [_view(model, data, config, view) for view in range(config.last_layer.augmented_views)]
    rows = np.arange(len(data))
    plain = [model.similarities(x) for x in plain_batches(data, rows, config.input)]
    stacked = torch.cat([*plain, *parts]).double().numpy()
    return stacked, np.tile(labels, 1 + len(parts))


def _view(model: PrototypeNet, data: TrainingSet, config: TrainConfig, view: int) -> Tensor:
    out, batch = [], batch_size(config.input)
    for start in range(0, len(data), batch):
        rows = np.arange(start, min(start + batch, len(data)))
        crops = augmented_crops(
            data, rows, config.input, config.augment, config.seed, VIEW_EPOCH + view
        )
        out.append(model.similarities(network_input(crops.hu, crops.centers, config.input)))
    return torch.cat(out)


def tune_last_layer(model: PrototypeNet, data: TrainingSet, config: TrainConfig) -> None:
    """Fit the class connections on cached similarities, in place."""
    similarities, labels = cached_similarities(model, data, config)
    connect(model, similarities, _last_targets(labels, data, config), data, config)


def _last_targets(labels: np.ndarray, data: TrainingSet, config: TrainConfig) -> np.ndarray:
    """Return the raters' shares of every view where the loss is against them, else the labels."""
    if config.loss.grading != "soft":
        return labels
    return np.tile(class_shares(data, config.task), (len(labels) // len(data), 1))


@torch.no_grad()
def connect(
    model: PrototypeNet,
    similarities: np.ndarray,
    labels: np.ndarray,
    data: TrainingSet,
    config: TrainConfig,
) -> None:
    """Fit the class connections to similarities (n, P) and labels (n,) or shares (n, K)."""
    fitted = SOLVERS[config.last_layer.solver](
        similarities,
        labels,
        model.prototype_class.numpy(),
        last_layer_weights(data, config),
        model.last_layer.weight.double().numpy(),
        config.last_layer,
        normalize=config.loss.normalize,
    )
    model.last_layer.weight.copy_(torch.from_numpy(fitted))
