"""Trainings in rounds: after each a finished model is validated, and the best one is kept.

So a training says by its own curve whether it is at a plateau. A round is a whole decay of the
learning rates; a prototype network is projected and its last layer fitted at its end.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

from spinexplain.config.heads import head_of
from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, split_validation
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.progress import SILENT, Progress
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.loop import Phase
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.activation_maps import check_places
from spinexplain.train.grading.objectives import WarmUp
from spinexplain.train.grading.phases import linear_groups
from spinexplain.train.grading.protoverse import GraderRun
from spinexplain.train.grading.run import Trained, check_folder, make_folder, seeded_build


class GraderRounds(GraderRun):
    """A training whose plain classifier descends in rounds, as prototype networks do."""

    def linear(self) -> Trained:
        """Train the plain classifier for ``rounds`` phases, and return the best one."""
        check_places(self.training, self.config)
        config, settings = self.config, self.config.classifier
        placed = config.loss.lambda_place > 0
        with seeded_build(config.seed):
            trunk = build_trunk(config.trunk, config.input)
            model = WarmUp(self._classifier_on(trunk))
        objective = self._classification(model, placed)
        best: Trained | None = None
        for number in range(config.rounds):
            groups = linear_groups(model, settings)
            phase = Phase(f"classifier-{number + 1}", number, settings, groups, objective)
            self._descend(phase, model, masks=placed)
            best = self._better(best, model.linear, number)
        assert best is not None
        return best

    def _better(self, best: Trained | None, model: LinearNet, number: int) -> Trained:
        figures = self._validated(f"round-{number + 1}", model)
        if best is not None and best.figures["f1"] >= figures["f1"]:
            return best
        return Trained(deepcopy(model).eval(), self.config, self.training, [], figures)


def trained_in_rounds(
    config: TrainConfig, data: TrainingSet, folder: Path, progress: Progress = SILENT
) -> Trained:
    """Train by the configuration's rounds, or go on with the run that is there.

    Parameters
    ----------
    config : TrainConfig
        Its seed says which persons validate, too.
    data : TrainingSet
        Of the configuration's classes alone.
    folder : Path
    progress : Progress
    """
    training, validation = split_validation(data, config.validation_share, config.seed)
    check_folder(folder, config, resume=True)
    make_folder(folder, config)
    journal = Journal(folder, resume=True)
    run = GraderRounds(config, training, validation, journal, progress, start_fabric())
    return run.prototypes() if head_of(config.head.kind).has_prototypes else run.linear()


def curve(folder: Path) -> list[float]:
    """Return the class-average F1 on validation after every round of a run.

    Raises
    ------
    OSError
        If the run has validated nothing yet.
    """
    history = json.loads((folder / "validation.json").read_text("utf-8"))
    return [entry["f1"] for entry in history if entry["after"].startswith("round-")]
