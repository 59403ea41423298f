"""Train ProtoVerse, ProtoPNet or the plain classifier, from a training set to a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spinexplain.config import TrainConfig
from spinexplain.errors import ModelError, OutputError
from spinexplain.models.backbones import build_trunk
from spinexplain.models.build import Network, build_model
from spinexplain.models.prototype import LinearNet, PrototypeNet
from spinexplain.train.dataset import TrainingSet, class_labels, split_validation, with_classes
from spinexplain.train.features import cached_where_possible
from spinexplain.train.fit import Journal, Phase, run_phase
from spinexplain.train.objectives import (
    WarmUp,
    classification_objective,
    prototype_objective,
)
from spinexplain.train.phases import (
    linear_groups,
    prototype_groups,
    start_from_patches,
    tune_last_layer,
    weights_of,
)
from spinexplain.train.projection import PrototypeSource, project
from spinexplain.train.validate import validate

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training leaves: the best model and how it came about.

    Parameters
    ----------
    model : Network
    config : TrainConfig
    data : TrainingSet
        The rows it was trained on (prototypes point into it).
    sources : list of PrototypeSource
        Empty for a model without prototypes.
    figures : dict
        Validation figures of the chosen round.
    """

    model: Network
    config: TrainConfig
    data: TrainingSet
    sources: list[PrototypeSource]
    figures: dict[str, float]


def train_model(
    config: TrainConfig,
    data: TrainingSet,
    out: str | Path,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train by the configuration and keep the best round by class-average F1.

    Parameters
    ----------
    config : TrainConfig
    data : TrainingSet
        A part of its subjects is set aside for validation.
    out : str or Path
        The run's folder: ``config.json``, ``log.csv``, ``validation.json``, checkpoints.
    resume : bool
        Continue from the checkpoints where there are any.
    progress : callable, optional
        Called with (phase, steps done, steps) after every step.

    Raises
    ------
    ConfigError
        If a class is too small or the settings do not fit together.
    ModelError
        If the loss stops being finite, or the checkpoint is of another configuration.
    OutputError
        If the folder holds a run already and ``resume`` is not set.
    """
    used = with_classes(data, config.classes, config.head.prototypes_per_class + 1)
    training, validation = split_validation(used, config.validation_share, config.seed)
    folder = _run_folder(Path(out), config, resume)
    journal = Journal(folder, resume)
    run = _Run(config, training, validation, journal, progress or (lambda *_: None))
    return run.linear() if config.head.kind == "linear" else run.prototypes()


def trained_classifier(trained: Trained, run: str | Path) -> Trained:
    """Return the plain classifier that warmed up a run's trunk, to compare with.

    Parameters
    ----------
    trained : Trained
    run : str or Path
        The run's folder, with ``classifier.ckpt``.

    Raises
    ------
    ModelError
        If the run kept no classifier.
    """
    config, path = trained.config, Path(run) / "classifier.ckpt"
    if not path.is_file():
        raise ModelError(f"{run} keeps no classifier.ckpt; expected a run with that phase.")
    with _seeded(config.seed):
        trunk = build_trunk(config.trunk, config.input)
        classes = len(config.classes)
        model = WarmUp(LinearNet(trunk, classes, config.input, config.head.pooling))
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return replace(trained, model=model.linear.eval(), sources=[], figures={})


def _run_folder(folder: Path, config: TrainConfig, resume: bool) -> Path:
    settings = folder / "config.json"
    text = json.dumps(config.model_dump(mode="json"), indent=1, sort_keys=True)
    if settings.exists() and not resume:
        raise OutputError(f"{folder} holds a run already. Choose another folder or add --resume.")
    if settings.exists() and settings.read_text("utf-8") != text:
        raise ModelError(
            f"{folder} was started with other settings; expected those of its config.json. "
            "Resume with the same preset, or choose another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    settings.write_text(text, "utf-8")
    return folder


class _Run:
    """One training: settings, data and journal, so that the phases need no long arguments."""

    def __init__(
        self,
        config: TrainConfig,
        training: TrainingSet,
        validation: TrainingSet,
        journal: Journal,
        progress: Progress,
    ) -> None:
        from lightning.fabric import Fabric

        self.config, self.training, self.validation = config, training, validation
        self.journal, self.progress = journal, progress
        self.fabric = Fabric(accelerator="cpu", devices=1)
        self.weights = weights_of(training, config, config.loss.class_weights)
        self.labels = class_labels(training, config.classes)
        self.history: list[dict[str, Any]] = []

    def linear(self) -> Trained:
        """Train the plain classifier."""
        model = self._classified()
        return Trained(model, self.config, self.training, [], self._validated("classifier", model))

    def prototypes(self) -> Trained:
        """Warm trunk, warm head, then rounds of joint training, projection, last layer."""
        model = self._started()
        best: Trained | None = None
        for number in range(self.config.rounds):
            joint = self._prototype_phase(model, f"joint-{number + 1}", 2 + number, True)
            self._descend(joint, model)
            kept = copied_state(model)
            trained = self._projected(model, f"round-{number + 1}")
            if best is None or trained.figures["f1"] > best.figures["f1"]:
                best = trained
            if number + 1 < self.config.rounds:
                projected = self.config.continue_from == "projected"
                model = self._fresh(copied_state(model) if projected else kept)
        assert best is not None
        return best

    def _classified(self) -> LinearNet:
        config, settings = self.config, self.config.classifier
        with _seeded(config.seed):
            trunk = build_trunk(config.trunk, config.input)
            classes = len(config.classes)
            model = WarmUp(LinearNet(trunk, classes, config.input, config.head.pooling))
        objective = classification_objective(
            model, self.weights, config.loss.lambda_height, settings.precision
        )
        phase = Phase("classifier", 0, settings, linear_groups(model, settings), objective)
        self._descend(phase, model)
        return model.linear

    def _fresh(self, state: dict[str, torch.Tensor] | None = None) -> PrototypeNet:
        config = self.config
        with _seeded(config.seed + 1):
            trunk = build_trunk(config.trunk, config.input)
            model = build_model(trunk, config.head, len(config.classes), config.input)
        assert isinstance(model, PrototypeNet)
        if state is not None:
            model.load_state_dict(state)
        return model

    def _started(self) -> PrototypeNet:
        """Return the prototype network after the warm phase, its trunk from the classifier."""
        classifier = self._classified()
        self._validated("classifier", classifier)
        model = self._fresh()
        model.trunk.load_state_dict(classifier.trunk.state_dict())
        if self.config.head.initial_prototypes == "own_class_patches":
            start_from_patches(model, self.training, self.config)
        with cached_where_possible(model.trunk, self.training, self.config) as data:
            self._descend(self._prototype_phase(model, "warm", 1, False), model, data)
        return model

    def _prototype_phase(
        self, model: PrototypeNet, name: str, number: int, with_trunk: bool
    ) -> Phase:
        settings = self.config.joint if with_trunk else self.config.warm
        groups = prototype_groups(model, settings, with_trunk)
        objective = prototype_objective(model, self.weights, self.config)
        masks = self.config.loss.lambda_outside > 0
        before = max(number - 2, 0) * settings.steps
        return Phase(name, number, settings, groups, objective, masks, (model.trunk,), before)

    def _descend(self, phase: Phase, model: nn.Module, data: TrainingSet | None = None) -> None:
        trainable = {id(p) for group in phase.groups for p in group["params"]}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in trainable)
        data = self.training if data is None else data
        steps = run_phase(self.fabric, model, data, self.config, phase, self.journal)
        for done in steps:
            self.progress(phase.name, done, phase.settings.steps)

    def _projected(self, model: PrototypeNet, name: str) -> Trained:
        config = self.config
        sources = project(
            model,
            self.training,
            self.labels,
            config.input,
            config.projection,
            config.loss.inside,
        )
        tune_last_layer(model, self.training, config)
        return Trained(model, config, self.training, sources, self._validated(name, model))

    def _validated(self, name: str, model: nn.Module) -> dict[str, float]:
        figures = validate(model, self.validation, self.config)
        self.history.append({"after": name} | figures)
        path = self.journal.folder / "validation.json"
        path.write_text(json.dumps(self.history, indent=1) + "\n", "utf-8")
        return figures


def copied_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of a model's tensors that later training does not touch."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch while a model is built, and leave its global state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
