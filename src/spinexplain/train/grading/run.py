"""One training from settings and data: its folder, its phases, what it leaves."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.errors import ModelError, OutputError
from spinexplain.io.files import atomic_file
from spinexplain.io.json_file import write_json
from spinexplain.models.build import Network
from spinexplain.progress import Progress
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.loop import Phase, run_phase
from spinexplain.train.engine.processes import describe_machine
from spinexplain.train.engine.sampling import StepRows
from spinexplain.train.grading.batches import Batch, CropBatches
from spinexplain.train.grading.phases import weights_of
from spinexplain.train.grading.projection import PrototypeSource
from spinexplain.train.grading.validate import validate

Arguments = tuple[TrainConfig, TrainingSet, TrainingSet, Journal, Progress, Any]
"""Of a run: settings, training and validation set, journal, progress, fabric."""

_MADE = {"config.json", "machine.json"}
CORRECTIONS = "corrections"
"""Folder of a run that holds the crops that readers corrected."""


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


def check_folder(folder: Path, config: TrainConfig, resume: bool) -> None:
    """Refuse a folder that holds another run, or one that is not to be resumed.

    Raises
    ------
    ModelError
        If it was begun with other settings.
    OutputError
        If it holds a run already and ``resume`` is not set.
    """
    settings = folder / "config.json"
    if settings.exists() and not resume:
        raise OutputError(f"{folder} holds a run already. Choose another folder or add --resume.")
    if settings.exists() and not _began_with(settings.read_text("utf-8"), config):
        raise ModelError(
            f"{folder} was started with other settings; expected those of its config.json. "
            "Resume with the same preset, or choose another folder."
        )


def make_folder(folder: Path, config: TrainConfig) -> None:
    """Make a run's folder with its ``config.json`` and ``machine.json``.

    A run that goes on elsewhere than it began warns: its bits may differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / "config.json") as temporary:
        temporary.write_text(_settings_text(config), "utf-8")
    machine, here = folder / "machine.json", describe_machine()
    if machine.exists():
        began = json.loads(machine.read_text("utf-8"))
        changed = sorted(name for name in here if began.get(name) != here[name])
        if changed:
            listed = ", ".join(f"{name} {began.get(name)} -> {here[name]}" for name in changed)
            warnings.warn(f"{folder} goes on with other bits than it began: {listed}", stacklevel=2)
    write_json(machine, here)


def drop_unbegun(folder: Path) -> None:
    """Remove what :func:`make_folder` made, unless the run has left more than that.

    Settings that turn out wrong when the network is built, such as a mistyped weight file,
    must not block the folder for the corrected ones.
    """
    if {path.name for path in folder.iterdir()} <= {*_MADE, CORRECTIONS}:
        for name in _MADE:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / CORRECTIONS, ignore_errors=True)
        folder.rmdir()


def _began_with(text: str, config: TrainConfig) -> bool:
    # Read, not compared as text: a setting that came later has its default in an older run.
    try:
        return TrainConfig.model_validate_json(text) == config
    except ValidationError:
        return False


def _settings_text(config: TrainConfig) -> str:
    return json.dumps(config.model_dump(mode="json"), indent=1, sort_keys=True)


class Run:
    """One training: settings, data and journal, so that the phases need no long arguments.

    Parameters
    ----------
    config : TrainConfig
    training, validation : TrainingSet
    journal : Journal
    progress : Progress
        Hears the phase after every step.
    fabric : lightning.fabric.Fabric
        Device and processes; see :func:`spinexplain.train.engine.processes.start_fabric`.
    """

    def __init__(
        self,
        config: TrainConfig,
        training: TrainingSet,
        validation: TrainingSet,
        journal: Journal,
        progress: Progress,
        fabric: Any,
    ) -> None:
        self.config, self.training, self.validation = config, training, validation
        self.journal, self.progress = journal, progress
        self.fabric = fabric
        self.weights = weights_of(training, config, config.loss.class_weights)
        self.labels = class_labels(training, config.task)
        self.history: list[dict[str, Any]] = []

    def _steps(
        self,
        phase: Phase[Batch],
        model: nn.Module,
        data: TrainingSet | None = None,
        masks: bool = False,
        rows: Callable[[int], StepRows] | None = None,
    ) -> Iterator[int]:
        """Descend a phase, yielding the number of steps done after each."""
        trainable = {id(p) for group in phase.groups for p in group["params"]}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in trainable)
        data = self.training if data is None else data
        batches = CropBatches(data, self.config, phase, masks, rows)
        steps = run_phase(self.fabric, model, batches, phase, self.config.seed, self.journal)
        for done in steps:
            self.progress.step(phase.name, done, phase.settings.steps)
            yield done

    def _descend(
        self,
        phase: Phase[Batch],
        model: nn.Module,
        data: TrainingSet | None = None,
        masks: bool = False,
    ) -> None:
        """Descend a phase to its end, on ``data`` in place of the training set if given."""
        for _ in self._steps(phase, model, data, masks):
            pass

    def _validated(self, name: str, model: nn.Module) -> dict[str, float]:
        """Measure the model on the validation subjects and add it to the run's history."""
        figures = validate(model, self.validation, self.config)
        self._note({"after": name} | figures)
        return figures

    def _note(self, entry: dict[str, Any]) -> None:
        """Append an entry to ``validation.json``."""
        self.history.append(entry)
        if self.fabric.global_rank > 0:
            return
        write_json(self.journal.folder / "validation.json", self.history)


@contextmanager
def seeded_build(seed: int) -> Iterator[None]:
    """Seed torch while a model is built, and leave its global state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
