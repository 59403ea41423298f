"""The networks of the experiments: untrained twins, and small classifiers of sheets."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch.nn.modules.batchnorm import _BatchNorm

from spinexplain.config import HeadSettings, InputSpec, TrainConfig, TrunkSettings
from spinexplain.explainers.dissection.samples import Samples
from spinexplain.models.grader import Grader
from spinexplain.models.prototype import LinearNet
from spinexplain.train.dataset import TrainingSet
from spinexplain.train.recipes import train_model
from spinexplain.types import ModelInfo

SETTLING = 64  # vertebrae that set the normalization of an untrained network
STEPS, BATCH, RATE = 200, 24, 1e-3


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


def tuned_classifier(start: Grader, samples: Samples, path: Path) -> Grader:
    """Train a plain classifier on from another model's trunk, or take up what is there.

    All weights learn: 200 steps of Adam on crops as they are, the same for every data set.
    """
    torch.manual_seed(0)
    trunk = copy.deepcopy(start.model.trunk)
    model = LinearNet(trunk, len(start.classes), start.spec, "average")
    if path.is_file():
        model.load_state_dict(load_file(path))
    else:
        _tune(model, samples, start.classes)
        save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    info = ModelInfo(path.stem, "0", "", start.classes, samples.cohort.path.name)
    return Grader(model.eval(), start.spec, start.classes, info)


def _tune(model: LinearNet, samples: Samples, classes: tuple[str, ...]) -> None:
    inputs = torch.cat(list(samples.batches(64)))
    labels = torch.tensor([classes.index(grade) for grade in samples.grades])
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    generator = torch.Generator().manual_seed(0)
    model.train()
    for _ in range(STEPS):
        rows = torch.randint(len(labels), (BATCH,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(model(inputs[rows]), labels[rows]).backward()
        optimizer.step()


def trained_classifier(data: TrainingSet, folder: Path, name: str, steps: int = 1500) -> Grader:
    """Train a small classifier of G0, G2 and G3 from scratch, or take up what is there."""
    spec = InputSpec(size=56, channels=("ct",), windows_hu={"ct": (-500.0, 1300.0)})
    config = TrainConfig(
        name="sheet-classifier",
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
