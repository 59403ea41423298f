"""How to train each kind of model, and the one door to all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from spinexplain.config.heads import head_of, resolved
from spinexplain.config.sections import EpochSettings
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
from spinexplain.train.grading.protoverse import without_twins
from spinexplain.train.grading.run import (
    Arguments,
    Trained,
    check_folder,
    drop_unbegun,
    make_folder,
)
from spinexplain.train.grading.simulated import with_simulated_fractures


def recipe_of(kind: str) -> Callable[[Arguments], Trained]:
    """Return how to train a kind of head.

    Raises
    ------
    ConfigError
        If there is no such kind.
    """
    recipe: Callable[[Arguments], Trained] = resolved(head_of(kind).recipe)
    return recipe


def train_model(
    config: TrainConfig,
    data: TrainingSet,
    out: str | Path,
    resume: bool = False,
    progress: Progress = SILENT,
    device: str = "cpu",
    processes: int = 1,
    more: Callable[[TrainingSet, TrainingSet], TrainingSet] | None = None,
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
    more : callable, optional
        Of training and validation set; returns the training set with crops added to it.

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
    wanted = config.head.prototypes_per_class if head_of(config.head.kind).has_prototypes else 1
    parts = split_validation(
        with_classes(data, config.task, wanted + 1), config.validation_share, config.seed
    )
    del data  # the parts are copies, and a large cohort fits into memory once only
    training, validation = parts[0], without_twins(parts[1])
    training = with_simulated_fractures(training, config)
    training = training if more is None else more(training, validation)
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
        return recipe_of(config.head.kind)(arguments)
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
    for name in head_of(config.head.kind).phases:
        settings = getattr(config, name)
        if isinstance(settings, EpochSettings):
            _check_epochs(name, settings, processes)
            continue
        batch = min(settings.batch, rows)
        if settings.steps and batch % processes:
            raise ConfigError(
                f"[{name}] has batches of {batch} crops, which {processes} processes cannot "
                f"share equally. Set batch to a multiple of {processes}."
            )


def _check_epochs(name: str, settings: EpochSettings, processes: int) -> None:
    smallest = settings.batch // 2  # the batches of an epoch differ by one box
    if processes > 1 and smallest < 2 * processes:
        raise ConfigError(
            f"[{name}] has batches of {settings.batch} boxes, which leave fewer than "
            f"two for some of {processes} processes. Set batch to at least {4 * processes}."
        )
