"""How to train each kind of model, and the one door to all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import (
    TrainingSet,
    check_fits,
    class_labels,
    split_validation,
    with_classes,
)
from spinexplain.errors import ConfigError, SpinexplainError
from spinexplain.progress import SILENT, Progress
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.detector import DetectorRun
from spinexplain.train.grading.protoverse import GraderRun, without_twins
from spinexplain.train.grading.run import Trained, check_folder, drop_unbegun, make_folder
from spinexplain.train.grading.simulated import with_simulated_fractures

Arguments = tuple[TrainConfig, TrainingSet, TrainingSet, Journal, Progress, Any]

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
    progress: Progress = SILENT,
    device: str = "cpu",
    processes: int = 1,
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
    progress : Progress
        Hears the phase after every step, from the first process only.
    device : str
        ``"cpu"`` or ``"cuda"``, for the phases of gradient descent; projection, last layer
        and validation run on the CPU in float32.
    processes : int
        Processes that share every batch; each needs the same data.

    Raises
    ------
    ConfigError
        If a class is too small or the settings do not fit together.
    ModelError
        If the loss stops being finite, or the checkpoint is of another configuration.
    OutputError
        If the folder holds a run already and ``resume`` is not set.
    """
    check_fits(data, config.input)
    wanted = config.head.prototypes_per_class if config.head.kind == "prototype" else 1
    parts = split_validation(
        with_classes(data, config.task, wanted + 1), config.validation_share, config.seed
    )
    del data  # the parts are copies, and a large cohort fits into memory once only
    training, validation = parts[0], without_twins(parts[1])
    training = with_simulated_fractures(training, config)
    folder = Path(out)
    check_folder(folder, config, resume)
    check_parts(config, len(training), processes)
    fabric = start_fabric(device, processes)
    fabric.barrier()
    if fabric.global_rank == 0:
        warn_of_absent(validation, config)
        make_folder(folder, config)
    fabric.barrier()
    heard = progress if fabric.global_rank == 0 else SILENT
    arguments = (config, training, validation, Journal(folder, resume), heard, fabric)
    try:
        return RECIPES[config.head.kind](arguments)
    except SpinexplainError:
        if fabric.global_rank == 0:
            drop_unbegun(folder)
        raise


def warn_of_absent(validation: TrainingSet, config: TrainConfig) -> None:
    """Warn where validation lacks a class: the round that is kept is then chosen by the others."""
    seen = set(class_labels(validation, config.task).tolist())
    absent = [name for index, name in enumerate(config.classes) if index not in seen]
    if absent:
        warnings.warn(
            f"no vertebra of class {', '.join(absent)} among the {len(validation)} for validation: "
            "the best model is chosen without it. Add subjects, or raise validation_share.",
            stacklevel=2,
        )


def check_parts(config: TrainConfig, rows: int, processes: int) -> None:
    """Refuse batches that processes cannot share equally.

    Raises
    ------
    ConfigError
        Naming the phase.
    """
    if config.head.kind == "detector":
        smallest = config.detector.batch // 2  # the batches of an epoch differ by one box
        if processes > 1 and smallest < 2 * processes:
            raise ConfigError(
                f"[detector] has batches of {config.detector.batch} boxes, which leave fewer than "
                f"two for some of {processes} processes. Set batch to at least {4 * processes}."
            )
        return
    for name in ("classifier", "warm", "joint"):
        settings = getattr(config, name)
        batch = min(settings.batch, rows)
        if settings.steps and batch % processes:
            raise ConfigError(
                f"[{name}] has batches of {batch} crops, which {processes} processes cannot "
                f"share equally. Set batch to a multiple of {processes}."
            )
