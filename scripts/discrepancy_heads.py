"""Prototype heads trained on the cached features of a frozen trunk, for what differs in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from discrepancy_figures import (
    Data,
    duplicates,
    off_patch,
    same_class_cosine,
    tested,
    winner_share,
    wrong_signs,
)
from discrepancy_trunks import shipped_settings

from spinexplain.analysis.reliability import CROP_SHIFT_MM
from spinexplain.config.training import AugmentSettings, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.models.build import build_model
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.models.trunks.backbones import Trunk, bypassing
from spinexplain.train.engine.learning_rate import learning_rate_factor
from spinexplain.train.engine.loop import Phase
from spinexplain.train.grading import projection
from spinexplain.train.grading.augment import Crops, augmented_crops, plain_crops
from spinexplain.train.grading.batches import Batch, CropBatches
from spinexplain.train.grading.features import with_features
from spinexplain.train.grading.objectives import prototype_objective
from spinexplain.train.grading.phases import (
    cached_similarities,
    connect,
    prototype_groups,
    start_from_patches,
    weights_of,
)
from spinexplain.train.grading.projection import project

TRUNK_STEPS, HEAD_STEPS = 250, 120
STILL = AugmentSettings(**dict.fromkeys(AugmentSettings.model_fields, 0.0))
CORRECTED: dict[str, Any] = {
    "head": {"feature_dim": 64, "log_epsilon": 1e-2, "pooling": "target"},
    "loss": {"lambda_outside": 1.0, "inside": "evidence", "lambda_height": 1.0},
    "classifier": {"steps": TRUNK_STEPS, "trunk_lr": 1e-3, "precision": "bf16"},
    "warm": {"steps": HEAD_STEPS, "batch": 80, "head_lr": 1e-2},
    "projection": {"inside_target": True},
    "last_layer": {"lambda_l2": 3e-4},
}


def configured(changes: dict[str, Any], seed: int) -> TrainConfig:
    """Return the corrected settings with a few changes."""
    content = shipped_settings() | {name: dict(section) for name, section in CORRECTED.items()}
    for name, change in changes.items():
        content[name] = content.get(name, {}) | change if isinstance(change, dict) else change
    return TrainConfig(**content, seed=seed)


def with_steps(config: TrainConfig, base: TrainConfig) -> TrainConfig:
    return config.model_copy(update={"warm": base.warm, "input": base.input, "augment": STILL})


@torch.no_grad()
def on_trunk(
    trunk: Trunk, training: TrainingSet, tests: dict[str, TrainingSet], config: TrainConfig
) -> Data:
    """Pass every crop through the trunk once."""
    moved = {}
    shift = STILL.model_copy(update={"shift_mm": CROP_SHIFT_MM})
    used = tests["hard"]
    crops = augmented_crops(used, np.arange(len(used)), config.input, shift, 7, 0)
    parts = [
        trunk(network_input(crops.hu[i : i + 64], crops.centers[i : i + 64], config.input))
        for i in range(0, len(used), 64)
    ]
    moved["hard"] = (torch.cat(parts).numpy(), crops)
    return Data(
        trunk,
        with_features(trunk, training, config.input),
        plain_crops(training, np.arange(len(training)), config.input),
        {name: with_features(trunk, data, config.input) for name, data in tests.items()},
        moved,
    )


def descended(config: TrainConfig, data: Data) -> PrototypeNet:
    """Train a prototype head on the cached features."""
    torch.manual_seed(config.seed)
    model = build_model(data.trunk, config.head, len(config.classes), config.input)
    assert isinstance(model, PrototypeNet)
    with bypassing(data.trunk), cut_once(data.crops):
        if config.head.initial_prototypes == "own_class_patches":
            start_from_patches(model, data.training, config)
        weights = weights_of(data.training, config, config.loss.class_weights)
        objective = prototype_objective(model, weights, config)
        phase = Phase("warm", 1, config.warm, [], objective)
        batches = CropBatches(data.training, config, phase)
        model.last_layer.weight.requires_grad_(False)
        optimizer = torch.optim.AdamW(prototype_groups(model, config.warm, with_trunk=False))
        base = [group["lr"] for group in optimizer.param_groups]
        labels = torch.from_numpy(class_labels(data.training, config.task))
        for step in range(config.warm.steps):
            for group, lr in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = lr * learning_rate_factor(config.warm, step)
            rows = batches.rows_of_step(step).index
            features = torch.from_numpy(data.training.features[rows])
            batch = Batch(features, labels[rows], cut(data.crops, rows))
            optimizer.zero_grad()
            objective(batch)["total"].backward()
            optimizer.step()
    return model


def cut(crops: Crops, rows: np.ndarray) -> Crops:
    return Crops(crops.hu[:0], crops.centers[:0], crops.target[rows], crops.evidence[rows])


@contextmanager
def cut_once(crops: Crops) -> Iterator[None]:
    """Take crops of the training set from memory instead of cutting them again and again."""
    kept = projection.plain_crops
    projection.plain_crops = lambda data, rows, spec: cut(crops, rows)
    try:
        yield
    finally:
        projection.plain_crops = kept


def finished(
    trained: PrototypeNet,
    config: TrainConfig,
    data: Data,
    shifted: Data | None = None,
    tune: bool = True,
) -> dict[str, Any]:
    """Project, tune the last layer, measure; the trained model is left as it is.

    ``shifted`` holds what the trunk gives after its statistics moved behind the projection.
    """
    with bypassing(data.trunk), cut_once(data.crops):
        model = build_model(data.trunk, config.head, len(config.classes), config.input)
        model.load_state_dict(trained.state_dict())
        before = same_class_cosine(model)
        labels = class_labels(data.training, config.task)
        inside = config.loss.inside
        sources = project(model, data.training, labels, config.input, config.projection, inside)
        after = data if shifted is None else shifted
        similarities, _ = cached_similarities(model, after.training, config)
        if tune:
            connect(model, similarities, labels, after.training, config)
        return {
            "cosine_before": before,
            "cosine_after": same_class_cosine(model),
            "travelled": float(np.mean([source.distance for source in sources])),
            "duplicates": duplicates(sources, data.training, model),
            "winner_share": winner_share(similarities, labels, model.prototype_class.numpy()),
            "off_patch": off_patch(model, sources, after.training),
            "wrong_signs": wrong_signs(model),
            **tested(model, config, after),
        }
