"""The networks of the experiments: untrained twins, and small classifiers of sheets."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from spinexplain.config import HeadSettings, InputSpec, TrainConfig, TrunkSettings
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.models.grader import Grader
from spinexplain.train.dataset import TrainingSet
from spinexplain.train.recipes import train_model
from spinexplain.types import ModelInfo

SETTLING = 64  # vertebrae that set the normalization of an untrained network


def with_random_weights(grader: Grader, samples: Samples, seed: int) -> Grader:
    """Return the same architecture untrained, its normalization set by the same vertebrae."""
    model = copy.deepcopy(grader.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # a plain average over the batches below
    model.train()
    with torch.no_grad():
        for number, inputs in enumerate(samples.batches(16)):
            if 16 * number >= SETTLING:
                break
            model(inputs)
    info = ModelInfo(f"random-{seed}", "0", "", grader.classes, "nothing")
    return dataclasses.replace(grader, model=model.eval(), info=info)


def trained_classifier(data: TrainingSet, folder: Path, name: str, steps: int = 400) -> Grader:
    """Train a small classifier of G0, G2 and G3 on sheets, or take up what is there."""
    spec = InputSpec(size=56, channels=("ct",), windows_hu={"ct": (-500.0, 1300.0)})
    config = TrainConfig(
        name="shortcut-probe",
        input=spec,
        trunk=TrunkSettings(
            name="conv", weights="none", blocks=3, widths=(16, 32, 64), max_stride=4
        ),
        head=HeadSettings(kind="linear"),
        classifier={"steps": steps, "batch": 24, "trunk_lr": 3e-3},
    )
    trained = train_model(config, data, folder, resume=folder.exists())
    info = ModelInfo(folder.name, "0", "", config.classes, name)
    return Grader(trained.model.eval(), spec, config.classes, info)
