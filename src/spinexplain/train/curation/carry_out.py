"""Decisions carried out on a prototype network, in one of three ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.errors import ModelError
from spinexplain.models.bundle.decisions import Decision, Decisions
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.curation.fine_tuning import CurationRun, FineTuning
from spinexplain.train.curation.forbidden import Places, places_of
from spinexplain.train.curation.removal import without_prototypes
from spinexplain.train.curation.replacement import replace_prototypes
from spinexplain.train.grading.latent_pool import Bans
from spinexplain.train.grading.phases import tune_last_layer
from spinexplain.train.grading.projection import PrototypeSource
from spinexplain.train.grading.protoverse import without_twins
from spinexplain.train.grading.run import Arguments

Way = Literal["remove", "replace", "fine-tune"]

ALIKE = 0.8
"""Centered cosine from which a patch resembles a forbidden one."""


@dataclass(frozen=True, eq=False)
class Curated:
    """What came out.

    Parameters
    ----------
    model : PrototypeNet
        In evaluation mode.
    config : TrainConfig
        The settings it was trained by, with ``head.kept`` where prototypes were taken out.
    origins : tuple of int
        For each prototype, which one it was before.
    sources : mapping of int to PrototypeSource
        Where prototypes that moved come from now, by their number after.
    """

    model: PrototypeNet
    config: TrainConfig
    origins: tuple[int, ...]
    sources: Mapping[int, PrototypeSource] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be carried out on which model.

    Parameters
    ----------
    grader : Grader
        Of a prototype network; not changed.
    config : TrainConfig
        It was trained by.
    decisions : Decisions
    alike : float
        See :data:`ALIKE`.
    """

    grader: Grader
    config: TrainConfig
    decisions: Decisions
    alike: float = ALIKE

    @property
    def model(self) -> PrototypeNet:
        """The network as it was."""
        assert isinstance(self.grader.model, PrototypeNet)
        return self.grader.model

    @property
    def rejected(self) -> tuple[int, ...]:
        """Prototypes that shall not stay, counted from 0."""
        return tuple(sorted(one.prototype - 1 for one in self.decisions.rejected))

    @property
    def confined(self) -> tuple[int, ...]:
        """Rejected because they lie outside the vertebra: what follows must lie in it."""
        outside = [d for d in self.decisions.rejected if d.reason == "outside the vertebra"]
        return tuple(one.prototype - 1 for one in outside)

    def bans(self, forbidden: Places) -> Bans:
        """Return what no prototype may become, by the network as it was."""
        with torch.no_grad():
            vectors = forbidden.vectors(self.model).cpu()
        own = self.model.prototypes.detach().cpu()[list(self.rejected)]
        return Bans(torch.cat([vectors, own]), self.alike, self.confined)


def remove(order: Order, training: TrainingSet) -> Curated:
    """Take the rejected prototypes out and solve the last layer anew.

    Parameters
    ----------
    order : Order
    training : TrainingSet
        That the last layer is fitted to.
    """
    model, config = without_prototypes(order.model, order.config, order.rejected)
    tune_last_layer(model, without_twins(training), config)
    count = len(order.model.prototype_class)
    origins = tuple(index for index in range(count) if index not in order.rejected)
    return Curated(model, config, origins)


def replace(order: Order, training: TrainingSet) -> Curated:
    """Put the rejected prototypes on other patches and solve the last layer anew."""
    model = copied(order.model, order.config)
    bans = order.bans(places_of(order.grader, order.model, _painted(order.decisions)))
    labels = projectable(training, order.config)
    sources = replace_prototypes(model, training, labels, order.config, order.rejected, bans)
    tune_last_layer(model, without_twins(training), order.config)
    return Curated(model, order.config, tuple(range(len(model.prototype_class))), sources)


def fine_tune(order: Order, arguments: Arguments, settings: FineTuning) -> Curated:
    """Train on with the losses of the decisions, project anew and solve the last layer.

    Parameters
    ----------
    order : Order
    arguments : tuple
        Of a run: settings, training and validation set, journal, progress, fabric.
    settings : FineTuning
    """
    forbidden = places_of(order.grader, order.model, order.decisions.rejected)
    kept = [one for one in order.decisions.decisions if not one.rejects]
    remembered = places_of(order.grader, order.model, kept)
    training = arguments[1]
    model = copied(order.model, order.config)
    if order.rejected and settings.lambda_forbid > 0:  # starts where replacing would end
        labels = projectable(training, order.config)
        bans = order.bans(forbidden)
        replace_prototypes(model, training, labels, order.config, order.rejected, bans)
    if settings.lambda_forbid == 0:
        forbidden = places_of(order.grader, order.model, ())
    run = CurationRun(*arguments)
    sources = run.fine_tuned(model, settings, forbidden, remembered, order.confined, order.alike)
    origins = tuple(range(len(model.prototype_class)))
    return Curated(model.eval(), order.config, origins, dict(enumerate(sources)))


def _painted(decisions: Decisions) -> tuple[Decision, ...]:
    """Return those whose region goes beyond the prototype's own cell, which needs no crop."""
    return tuple(one for one in decisions.rejected if one.region)


def projectable(training: TrainingSet, config: TrainConfig) -> np.ndarray:
    """Return the class of every row, -1 where no prototype may come from it."""
    labels = class_labels(training, config.task)
    for kept_out in (training.simulated, training.twins, training.added):
        if kept_out is not None:
            labels = np.where(kept_out, -1, labels)
    return labels


def copied(model: PrototypeNet, config: TrainConfig) -> PrototypeNet:
    """Return a copy of a network that may change."""
    made, _ = without_prototypes(model, config, ())
    return made


def check_rejected(decisions: Decisions) -> None:
    """Refuse decisions that change nothing.

    Raises
    ------
    ModelError
        If no prototype is rejected.
    """
    if not decisions.rejected:
        raise ModelError(
            "the decisions reject no prototype; expected at least one that is not kept. Nothing "
            "is to be done."
        )
