"""Detectors that learned from few and from many spines, each dissected on the same unseen ones.

The dissection paper's central claim: patterns come from the large cohort alone. Written down in
docs/decisions/claims.md before any of these detectors was trained: persons, sizes, steps, what
is measured and by which rule. Boxes have samples of 1.5 mm, so that a CPU affords many trainings.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.effect import mean_levels
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.models.build import build_model
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.dissection.cohorts import narrow_boxes
from spinexplain.reproduce.dissection.evidence import Units, units_of
from spinexplain.reproduce.dissection.intervals import between, draws
from spinexplain.reproduce.dissection.networks import with_random_weights
from spinexplain.reproduce.dissection.overlap import counts, tied
from spinexplain.reproduce.dissection.use import auc_of, silenced_together
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.detector import train_detector
from spinexplain.train.grading.run import check_folder, make_folder, seeded_build
from spinexplain.types import ModelInfo

RESULTS = "training-size.json"
PRESET = "balanced"
SIZES = (5, 15, 45)
"""Scans that a detector learns from."""
UNTRAINED = 0
"""In place of a size: the opponent that learned nothing."""
LEARNING, VALIDATION, UNSEEN = (6610, 45), (6611, 12), (6612, 20)
"""Seed of the phantoms, scans."""
SEEDS = (0, 1, 2, 3, 4)
"""In this order, every size of a seed before the next seed."""
EPOCHS, BATCH = 9, 8
KEPT_MM = 64  # of the 112 mm of a stored box: the 48 mm that are seen, moved and turned
LAST_STEPS = 50


@dataclass(frozen=True, eq=False)
class Persons:
    """Whom detectors learn from, are chosen on, and are dissected with.

    Parameters
    ----------
    learning, validation : TrainingSet
    unseen : Samples
    """

    learning: TrainingSet
    validation: TrainingSet
    unseen: Samples


def measure(setting: Setting, seeds: tuple[int, ...] = SEEDS) -> None:
    """Train and dissect what is missing, seed by seed; results are stored after every seed."""
    torch.set_num_threads(1)
    work, config = setting.work / "training-size", design()
    persons = drawn(setting, config)
    record = Record(work / "runs.json")
    planned = [(size, seed) for seed in seeds for size in (UNTRAINED, *SIZES)]
    for done, (size, seed) in enumerate(planned, 1):
        if not record.has(str(size), seed):
            found = figures_of(config, persons, size, seed, work, setting.progress)
            record.keep(str(size), seed, found)
        if size == SIZES[-1]:
            setting.store(RESULTS, stated(record, config, persons.unseen))
        setting.progress.step("Sizes and seeds", done, len(planned))


def drawn(setting: Setting, config: TrainConfig) -> Persons:
    """Draw the boxes, or open those that are there."""
    learning, validation = (
        in_memory(narrow_boxes(setting, PRESET, *which), config) for which in (LEARNING, VALIDATION)
    )
    unseen = narrow_boxes(setting, PRESET, *UNSEEN, masks=True)
    return Persons(learning, validation, select_samples(unseen, config.input, config.task))


def design() -> TrainConfig:
    """Return the preset on boxes of 48 mm in 32 samples."""
    config = read_config("detector")
    changes: dict[str, dict[str, Any]] = {
        "input": {"extent_mm": 48.0, "size": 32},
        "detector": {"epochs": EPOCHS, "patience": EPOCHS, "batch": BATCH, "precision": "fp32"},
        "volume_augment": {"share": 0.3, "elastic_mm": 0.0, "blur_mm": 0.0},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=new) for name, new in changes.items()}
    )


def scans_of(size: int, seed: int) -> range:
    """Return which scans a detector learns from: other ones for every seed, as far as there are.

    Examples
    --------
    >>> scans_of(5, 0), scans_of(5, 4), scans_of(45, 4)
    (range(0, 5), range(40, 45), range(0, 45))
    """
    start = seed * (LEARNING[1] - size) // (len(SEEDS) - 1)
    return range(start, start + size)


def learning_set(data: TrainingSet, size: int, seed: int) -> TrainingSet:
    """Take the vertebrae of some scans, as often as the largest size has more scans.

    So every size takes about as many steps and is validated as often; each time a vertebra is
    changed otherwise.
    """
    persons = {person_of(index) for index in scans_of(size, seed)}
    rows = np.flatnonzero([subject in persons for subject in data.subjects])
    return data.take(np.tile(rows, SIZES[-1] // size))


def person_of(index: int) -> str:
    """Return what the learning cohort calls the person of a scan."""
    return f"{PRESET}-{LEARNING[0]}-phantom{index + 1:04d}"


def in_memory(cohort: Cohort, config: TrainConfig, kept_mm: int = KEPT_MM) -> TrainingSet:
    """Read a cohort's boxes, by default without most of their margin."""
    data = with_classes(set_from_cohort(cohort, axes=3, masks=False), config.task, 1)
    start = (data.patches_hu.shape[1] - kept_mm) // 2
    inner = (slice(start, start + kept_mm),) * 3
    boxes = np.stack([data.patches_hu[row][inner] for row in range(len(data))])
    return replace(data, patches_hu=boxes, centers=data.centers - start)


def figures_of(
    config: TrainConfig,
    persons: Persons,
    size: int,
    seed: int,
    work: Path,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Train one detector, or take an untrained one, and dissect it."""
    if size == UNTRAINED:
        grader = with_random_weights(untrained(config), persons.unseen, seed)
        return dissected(grader, persons.unseen)
    folder = work / f"scans-{size}-seed-{seed}"
    used = learning_set(persons.learning, size, seed)
    grader = trained(config, used, persons.validation, folder, seed, progress)
    learned = learned_figures(folder, used, SIZES[-1] // size)
    return learned | dissected(grader, persons.unseen)


def untrained(config: TrainConfig) -> Grader:
    """Return the network of the settings."""
    with seeded_build(0):
        trunk = build_trunk(config.trunk, config.input)
        model = build_model(trunk, config.head, len(config.classes), config.input)
    info = ModelInfo("untrained", "0", "", config.classes, "nothing")
    return Grader(model.eval(), config.input, config.task, info)


def trained(
    config: TrainConfig,
    training: TrainingSet,
    validation: TrainingSet,
    folder: Path,
    seed: int,
    progress: Progress = SILENT,
) -> Grader:
    """Train a detector, its best epoch chosen on persons that are the same for all sizes."""
    own = config.model_copy(update={"seed": seed})
    check_folder(folder, own, resume=True)
    make_folder(folder, own)
    journal = Journal(folder, resume=True)
    found = train_detector((own, training, validation, journal, progress, start_fabric()))
    info = ModelInfo(folder.name, "0", "", own.classes, PRESET)
    return Grader(found.model.eval(), own.input, own.task, info)


def learned_figures(folder: Path, used: TrainingSet, times: int) -> dict[str, Any]:
    """Say what a training had, where its loss ended, and whether it was at a plateau."""
    history = json.loads((folder / "validation.json").read_text("utf-8"))
    scores = [entry["f1"] for entry in history]
    return {
        "vertebrae": len(used) // times,
        "fractures": int((used.grades > 0).sum()) // times,
        "steps": history[-1]["step"],
        "validation_f1": [round(score, 4) for score in scores],
        "late_gain": late_gain(scores),
        "cross_entropy": last_loss(folder / "log.csv"),
    }


def late_gain(scores: Sequence[float]) -> float:
    """Return how much the best of the last third is above the best before.

    Examples
    --------
    >>> late_gain([0.5, 0.75, 0.5])
    -0.25
    """
    early = 2 * len(scores) // 3
    return max(scores[early:]) - max(scores[:early])


def last_loss(path: Path) -> float:
    """Return the mean cross-entropy of a training's last steps: 0.69 is that of chance."""
    with path.open(encoding="utf-8", newline="") as file:
        values = [float(r["value"]) for r in csv.DictReader(file) if r["term"] == "cross_entropy"]
    return float(np.mean(values[-LAST_STEPS:]))


def dissected(grader: Grader, samples: Samples, quantile: float = 0.995) -> dict[str, Any]:
    """Dissect one detector: its units, their place, and what silencing the first ten costs."""
    units, activity, _ = units_of(grader, samples, quantile=quantile)
    positive, negative = units.shares()
    top = units.top("contrast")
    return {
        "units": len(units.ranked),
        "tied": tied(units),
        "contrast_top": float((positive - negative)[top].mean()),
        "iou_top": float(units.iou()[top].mean()),
        "share_top": float(units.share()[top].mean()),
        "chance": units.chance,
        **silenced(grader, samples, units, activity),
    }


def silenced(grader: Grader, samples: Samples, units: Units, activity: Activity) -> dict[str, Any]:
    """Return what the first ten units are worth beyond ten others, in the network's own scale.

    Log odds of two networks have no common scale: what fractured vertebrae lose is divided by
    the standard deviation of the network's log odds over all vertebrae.
    """
    odds = silenced_together(grader, samples, units, mean_levels(activity), "trunk")
    scale = float(odds[:, 0].std())
    lost = (odds[:, :1] - odds[:, 1:]) / max(scale, 1e-9)
    first, others = lost[:, 0], lost[:, 2:].mean(axis=1)

    def beyond(times: np.ndarray) -> float:
        weight = times * units.positive
        return float(weight @ (first - others) / weight.sum())

    plain = np.ones(len(odds))
    taken = list(draws(units))
    areas = [weighted_auc(odds[:, 0], units.positive, times) for times in taken]
    return {
        "auc": between(areas, auc_of(odds[:, 0], units)),
        "auc_without_first": auc_of(odds[:, 1], units),
        "auc_without_others": float(np.mean([auc_of(column, units) for column in odds[:, 3:].T])),
        "lost_first": float(first[units.positive].mean()),
        "lost_others": float(others[units.positive].mean()),
        "lost_beyond": between([beyond(times) for times in taken], beyond(plain)),
    }


def weighted_auc(odds: np.ndarray, positive: np.ndarray, times: np.ndarray) -> float:
    """Return the area under the curve of vertebrae taken so many times.

    Examples
    --------
    >>> odds, positive = np.array([0.0, 1.0, 1.0]), np.array([False, False, True])
    >>> weighted_auc(odds, positive, np.array([3.0, 1.0, 1.0]))
    0.875
    """
    sick, well = times * positive, times * ~positive
    above = (odds[:, None] > odds[None]) + 0.5 * (odds[:, None] == odds[None])
    return float(sick @ above @ well / (sick.sum() * well.sum()))


def stated(record: Record, config: TrainConfig, unseen: Samples) -> dict[str, Any]:
    """Return all figures with what made them."""
    return {
        "command": "spinexplain reproduce training-size --fresh",
        "preset": PRESET,
        "learning": LEARNING,
        "validation": VALIDATION,
        "unseen": UNSEEN,
        "counts": counts(unseen),
        "sizes": SIZES,
        "extent_mm": config.input.extent_mm,
        "size": config.input.size,
        "epochs": config.detector.epochs,
        "batch": config.detector.batch,
        "torch": str(torch.__version__),
        "runs": record.runs,
    }
