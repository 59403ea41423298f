"""Train ProtoVerse, ProtoPNet or the plain classifier: phases, projection, last layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spinexplain.config.heads import head_of
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ModelError
from spinexplain.models.build import build_model
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.models.trunks.backbones import Trunk, build_trunk
from spinexplain.train.engine.journal import Terms
from spinexplain.train.engine.loop import Phase
from spinexplain.train.grading.activation_maps import check_places
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.features import cached_where_possible
from spinexplain.train.grading.objectives import (
    HeightBeside,
    WarmUp,
    classification_objective,
    prototype_objective,
)
from spinexplain.train.grading.phases import (
    height_group,
    linear_groups,
    prototype_groups,
    start_from_patches,
    tune_last_layer,
)
from spinexplain.train.grading.projection import project
from spinexplain.train.grading.run import Arguments, Run, Trained, seeded_build


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
    with seeded_build(config.seed):
        trunk = build_trunk(config.trunk, config.input)
        classes = len(config.classes)
        model = WarmUp(LinearNet(trunk, classes, config.input, config.head.pooling))
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return replace(trained, model=model.linear.eval(), sources=[], figures={})


class GraderRun(Run):
    """The training of a grader: the plain classifier, or prototypes on its trunk."""

    def linear(self) -> Trained:
        """Train the plain classifier; with ``lambda_place`` its maps are placed, too."""
        check_places(self.training, self.config)
        model = self._classified(placed=self.config.loss.lambda_place > 0)
        return Trained(model, self.config, self.training, [], self._validated("classifier", model))

    def prototypes(self) -> Trained:
        """Warm trunk, warm head, then rounds of joint training, projection, last layer."""
        model = self._started()
        best: Trained | None = None
        for number in range(self.config.rounds):
            self._joint(model, number)
            kept = copied_state(model)
            trained = self._projected(model, f"round-{number + 1}")
            if best is None or trained.figures["f1"] > best.figures["f1"]:
                best = trained
            if number + 1 < self.config.rounds:
                projected = self.config.continue_from == "projected"
                model = self._fresh(copied_state(model) if projected else kept)
        assert best is not None
        best.model.trunk.bypassed = False
        return best

    @property
    def _needs_masks(self) -> bool:
        loss = self.config.loss
        return max(loss.lambda_outside, loss.lambda_place, loss.lambda_part) > 0

    def _classified(self, placed: bool = False) -> LinearNet:
        config, settings = self.config, self.config.classifier
        with seeded_build(config.seed):
            trunk = build_trunk(config.trunk, config.input)
            model = WarmUp(self._classifier_on(trunk))
        objective = self._classification(model, placed)
        phase = Phase("classifier", 0, settings, linear_groups(model, settings), objective)
        self._descend(phase, model, masks=placed)
        return model.linear

    def _classification(self, model: WarmUp, placed: bool) -> Callable[[Batch], Terms]:
        """Return what the plain classifier minimizes by the settings."""
        loss = self.config.loss
        return classification_objective(
            model,
            self.weights,
            loss.lambda_height,
            self.config.classifier.precision,
            loss.grading,
            loss.normalize,
            self.config if placed else None,
        )

    def _classifier_on(self, trunk: Trunk) -> LinearNet:
        """Build the network of the settings; for prototypes the one that warms up their trunk."""
        config, classes = self.config, len(self.config.classes)
        if head_of(config.head.kind).has_prototypes:
            return LinearNet(trunk, classes, config.input, config.head.pooling)
        model = build_model(trunk, config.head, classes, config.input)
        assert isinstance(model, LinearNet)
        return model

    def _fresh(self, state: dict[str, torch.Tensor] | None = None) -> PrototypeNet:
        config = self.config
        with seeded_build(config.seed + 1):
            trunk = build_trunk(config.trunk, config.input)
            model = build_model(trunk, config.head, len(config.classes), config.input)
        assert isinstance(model, PrototypeNet)
        if state is not None:
            model.load_state_dict(state)
        model.trunk.bypassed = self.training.features is not None
        return model

    def _started(self) -> PrototypeNet:
        """Return the prototype network after the warm phase, its trunk from the classifier."""
        classifier = self._classified()
        if self.training.features is None:
            self._validated("classifier", classifier)
        model = self._fresh()
        model.trunk.load_state_dict(classifier.trunk.state_dict())
        if self.config.head.initial_prototypes == "own_class_patches":
            start_from_patches(model, without_twins(self.training), self.config)
        with cached_where_possible(model.trunk, self.training, self.config) as data:
            warm = self._prototype_phase(model, "warm", 1, False)
            self._descend(warm, model, data, masks=self._needs_masks)
        return model

    def _joint(self, model: PrototypeNet, number: int) -> None:
        """Train trunk and head together, with the regression of heights beside them or without."""
        name, config = f"joint-{number + 1}", self.config
        beside = None
        if config.loss.lambda_joint_height > 0:
            with seeded_build(config.seed + 2):
                classes = len(config.classes)
                pooling = LinearNet(model.trunk, classes, config.input, config.head.pooling)
                beside = HeightBeside(model, pooling)
        phase = self._prototype_phase(model, name, 2 + number, True, beside)
        self._descend(phase, model if beside is None else beside, masks=self._needs_masks)

    def _prototype_phase(
        self,
        model: PrototypeNet,
        name: str,
        number: int,
        with_trunk: bool,
        beside: HeightBeside | None = None,
    ) -> Phase[Batch]:
        settings = self.config.joint if with_trunk else self.config.warm
        groups = prototype_groups(model, settings, with_trunk)
        if beside is not None:
            groups.append(height_group(beside, settings))
        objective = prototype_objective(
            model, self.weights, self.config, settings.precision, beside
        )
        before = max(number - 2, 0) * settings.steps
        return Phase(name, number, settings, groups, objective, (model.trunk,), before)

    def _projected(self, model: PrototypeNet, name: str) -> Trained:
        config, training = self.config, self.training
        labels = self.labels
        for kept_out in (training.simulated, training.twins, training.added):
            if kept_out is not None:
                labels = np.where(kept_out, -1, labels)
        sources = project(
            model,
            training,
            labels,
            config.input,
            config.projection,
            config.loss.inside,
        )
        tune_last_layer(model, without_twins(training), config)
        return Trained(model, config, self.training, sources, self._validated(name, model))


def without_twins(data: TrainingSet) -> TrainingSet:
    """Drop healthy twins: they show other rows' persons again and shift the shares of classes."""
    return data if data.twins is None or not data.twins.any() else data.take(~data.twins)


def copied_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of a model's tensors that later training does not touch."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def train_linear(arguments: Arguments) -> Trained:
    """Train the plain classifier, or any other :class:`LinearNet` of the settings."""
    return GraderRun(*arguments).linear()


def train_prototypes(arguments: Arguments) -> Trained:
    """Train ProtoVerse or ProtoPNet."""
    return GraderRun(*arguments).prototypes()
