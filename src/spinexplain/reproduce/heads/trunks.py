"""The frozen trunks that differences from the papers are measured on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.bundle.folder import locate, read_description
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.trunks.backbones import Trunk, build_trunk
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.heads.figures import OnTrunk
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.batches import CropBatches
from spinexplain.train.grading.objectives import WarmUp, classification_objective
from spinexplain.train.grading.phases import linear_groups, weights_of
from spinexplain.train.grading.plain_inputs import inputs_in_batches
from spinexplain.train.grading.run import seeded_build

SHIPPED = "protoverse-phantom"


@cache
def shipped_settings() -> dict[str, Any]:
    """Return what the shipped model sees and what its trunk is made of."""
    described = read_description(locate(SHIPPED))
    trunk = described.trunk.model_dump() | {"weights": "none"}
    return {"input": described.input.model_dump(), "trunk": trunk}


def trunk_hash() -> str:
    """Return the SHA-256 of the shipped model's weights."""
    return load_grader(SHIPPED).info.weights_sha256


def shipped_trunk() -> Trunk:
    """Return the shipped model's trunk, as it is."""
    trunk = load_grader(SHIPPED, runtime="torch").model.trunk
    assert isinstance(trunk, Trunk)
    return trunk


def trained_trunk(
    config: TrainConfig, data: TrainingSet, folder: Path, progress: Progress = SILENT
) -> Trunk:
    """Train the plain classifier on from the shipped trunk, and freeze its own."""
    return classifiers_trunk(config, data, folder, shipped_state(config), progress)


def classifiers_trunk(
    config: TrainConfig,
    data: TrainingSet,
    folder: Path,
    state: dict[str, torch.Tensor] | None = None,
    progress: Progress = SILENT,
) -> Trunk:
    """Train the plain classifier, from ``state`` or from scratch, and freeze its trunk."""
    folder.mkdir(parents=True, exist_ok=True)
    with seeded_build(0):
        trunk = build_trunk(config.trunk, config.input)
        if state is not None:
            trunk.load_state_dict(state)
        model = WarmUp(LinearNet(trunk, len(config.classes), config.input, config.head.pooling))
    weights = weights_of(data, config, "median")
    objective = classification_objective(model, weights, 1.0, config.classifier.precision)
    groups = linear_groups(model, config.classifier)
    phase = Phase("trunk", 0, config.classifier, groups, objective)
    batches, journal = CropBatches(data, config, phase), Journal(folder, resume=True)
    for step in run_phase(start_fabric(), model, batches, phase, config.seed, journal):
        progress.step("Trunk", step, config.classifier.steps)
    for parameter in trunk.parameters():
        parameter.requires_grad_(False)
    return trunk.eval()


def shipped_state(config: TrainConfig) -> dict[str, torch.Tensor]:
    """Return the shipped model's trunk, its first convolution cut to the input's channels."""
    grader = load_grader(SHIPPED)
    state = shipped_trunk().state_dict()
    used = [grader.spec.channels.index(name) for name in config.input.channels]
    state["layers.0.weight"] = state["layers.0.weight"][:, used]
    return state


@torch.no_grad()
def shift_statistics(trunk: Trunk, data: OnTrunk, config: TrainConfig) -> None:
    """Let BatchNorm follow the training crops for three passes, as epochs in training mode do."""
    trunk.train()
    rows = np.arange(len(data.training))
    images = replace(data.training, features=None)
    for _ in range(3):
        for _, x, _ in inputs_in_batches(images, rows, config.input):
            trunk(x)
    trunk.eval()
