"""Prototype heads trained on the cached features of a frozen trunk, for what differs in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from spinexplain.analysis.reliability import CROP_SHIFT_MM
from spinexplain.config.training import AugmentSettings, TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.models.build import build_model
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.models.trunks.backbones import Trunk, bypassing
from spinexplain.reproduce.heads.figures import (
    OnTrunk,
    distinct_quarters,
    duplicates,
    off_patch,
    quarter_of,
    same_class_cosine,
    tested,
    winner_share,
    wrong_signs,
)
from spinexplain.reproduce.heads.trunks import shipped_settings
from spinexplain.reproduce.unkept import Unkept
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.augment import augmented_crops
from spinexplain.train.grading.batches import CropBatches
from spinexplain.train.grading.features import with_features
from spinexplain.train.grading.objectives import prototype_objective
from spinexplain.train.grading.phases import (
    cached_similarities,
    connect,
    prototype_groups,
    start_from_patches,
    weights_of,
)
from spinexplain.train.grading.projection import PrototypeSource, project
from spinexplain.train.grading.run import seeded_build

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
    """Return settings with the steps and the input of others, and nothing augmented."""
    return config.model_copy(update={"warm": base.warm, "input": base.input, "augment": STILL})


@torch.no_grad()
def on_trunk(
    trunk: Trunk, training: TrainingSet, tests: dict[str, TrainingSet], config: TrainConfig
) -> OnTrunk:
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
    return OnTrunk(
        trunk,
        with_features(trunk, training, config.input, config.loss.inside),
        {name: with_features(trunk, data, config.input) for name, data in tests.items()},
        moved,
    )


def descended(config: TrainConfig, data: OnTrunk) -> PrototypeNet:
    """Train a prototype head on the held features, by the package's own warm phase."""
    training = data.training
    with seeded_build(config.seed):
        model = build_model(data.trunk, config.head, len(config.classes), config.input)
    assert isinstance(model, PrototypeNet)
    with bypassing(data.trunk):
        if config.head.initial_prototypes == "own_class_patches":
            start_from_patches(model, training, config)
        weights = weights_of(training, config, config.loss.class_weights)
        phase = Phase(
            "warm",
            1,
            config.warm,
            prototype_groups(model, config.warm, with_trunk=False),
            prototype_objective(model, weights, config),
            frozen=(data.trunk,),
        )
        model.last_layer.weight.requires_grad_(False)
        batches = CropBatches(training, config, phase, masks=config.loss.lambda_outside > 0)
        for _ in run_phase(start_fabric(), model, batches, phase, config.seed, Unkept()):
            pass
    return model


def _distinct(
    model: PrototypeNet, sources: list[PrototypeSource], data: OnTrunk, config: TrainConfig
) -> float:
    """Count the different quarters of the body that the projected prototypes come from."""
    rows = np.array([source.row for source in sources])
    crops = augmented_crops(data.training, rows, config.input, STILL, 0, 0)
    assert crops.target is not None
    field = data.trunk.field
    points = [
        tuple(field.start + cell * field.stride for cell in source.cell) for source in sources
    ]
    quarters = [
        quarter_of(mask.numpy(), (point[0], point[1]))
        for mask, point in zip(crops.target, points, strict=True)
    ]
    return distinct_quarters(quarters, model.prototype_class.tolist())


def finished(
    trained: PrototypeNet,
    config: TrainConfig,
    data: OnTrunk,
    shifted: OnTrunk | None = None,
    tune: bool = True,
) -> dict[str, Any]:
    """Project, tune the last layer, measure; the trained model is left as it is.

    ``shifted`` holds what the trunk gives after its statistics moved behind the projection.
    """
    with bypassing(data.trunk):
        model = build_model(data.trunk, config.head, len(config.classes), config.input)
        assert isinstance(model, PrototypeNet)
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
            "distinct_quarters": _distinct(model, sources, data, config),
            "winner_share": winner_share(similarities, labels, model.prototype_class.numpy()),
            "off_patch": off_patch(model, sources, after.training),
            "wrong_signs": wrong_signs(model),
            **tested(model, config, after),
        }
