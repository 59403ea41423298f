"""How to train each kind of model, and the one door to all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spinexplain.config import TrainConfig
from spinexplain.train.dataset import TrainingSet, split_validation, with_classes
from spinexplain.train.detector import DetectorRun
from spinexplain.train.fit import Journal
from spinexplain.train.protoverse import GraderRun
from spinexplain.train.run import Progress, Trained, run_folder

Arguments = tuple[TrainConfig, TrainingSet, TrainingSet, Journal, Progress]

RECIPES: dict[str, Callable[[Arguments], Trained]] = {
    "linear": lambda arguments: GraderRun(*arguments).linear(),
    "prototype": lambda arguments: GraderRun(*arguments).prototypes(),
    "detector": lambda arguments: DetectorRun(*arguments).detector(),
}


def train_model(
    config: TrainConfig,
    data: TrainingSet,
    out: str | Path,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train by the configuration and keep the best round or epoch by class-average F1.

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
    wanted = config.head.prototypes_per_class if config.head.kind == "prototype" else 1
    used = with_classes(data, config.task, wanted + 1)
    training, validation = split_validation(used, config.validation_share, config.seed)
    folder = run_folder(Path(out), config, resume)
    journal = Journal(folder, resume)
    silent: Progress = lambda *_: None  # noqa: E731
    return RECIPES[config.head.kind]((config, training, validation, journal, progress or silent))
