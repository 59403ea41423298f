"""What each difference between paper, released code and this package does, on drawn phantoms.

Training rows are drawn in the class sizes of the paper's training split (982, 58, 38) from one
cohort; the shipped model's trunk learns a little from other rows of it and is then frozen. On
its held features every difference alone trains a prototype head, with three seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.trunks.backbones import Trunk
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.cohorts import graded_sheets
from spinexplain.reproduce.heads.figures import OnTrunk
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.heads.training import (
    configured,
    descended,
    finished,
    on_trunk,
    with_steps,
)
from spinexplain.reproduce.heads.trunks import (
    SHIPPED,
    shift_statistics,
    trained_trunk,
    trunk_hash,
)
from spinexplain.reproduce.setting import Setting

RESULTS = "discrepancies.json"
CLASS_SIZES = (982, 58, 38)
TRUNK_ROWS = 4000
TRAINING, TESTS = ("balanced", 1, 20000), {"verse-like": (990, 1000), "hard": (990, 400)}
SEEDS = (0, 1, 2)
# What descends differently.
TRAINED: dict[str, dict[str, Any]] = {
    "weights-as-printed": {"loss": {"class_weights": "as_printed"}},
    "weights-none": {"loss": {"class_weights": "none"}},
    "weights-ins": {"loss": {"class_weights": "ins"}},
    "weights-isns": {"loss": {"class_weights": "isns"}},
    "resampled": {"loss": {"class_weights": "none"}, "sampling": "balanced"},
    "diversity-raw-dot": {"loss": {"diversity": "raw_dot"}},
    "diversity-cosine": {"loss": {"diversity": "cosine"}},
    "diversity-0": {"loss": {"lambda_div": 0.0}},
    "separation-plus": {"loss": {"lambda_sep": 0.08}},
    "uniform-start": {"head": {"initial_prototypes": "uniform"}},
    "outside-0": {"loss": {"lambda_outside": 0.0}},
    "as-printed": {
        "loss": {
            "class_weights": "as_printed",
            "diversity": "raw_dot",
            "lambda_sep": 0.08,
            "lambda_outside": 0.0,
        },
        "head": {"initial_prototypes": "uniform"},
        "projection": {"allow_duplicates": True},
        "last_layer": {"constrained": False, "lambda_l2": 0.0},
    },
}
# What goes on differently after the same descent as "corrected".
FINISHED: dict[str, dict[str, Any]] = {
    "duplicates": {"projection": {"allow_duplicates": True}},
    "last-layer-adam-20": {"last_layer": {"solver": "adam", "steps": 20 * (1078 // 80)}},
    "last-layer-adam-600": {"last_layer": {"solver": "adam", "steps": 600 * (1078 // 80)}},
    "last-layer-free": {"last_layer": {"constrained": False}},
}


Sets = tuple[TrainingSet, dict[str, TrainingSet]]
"""The rows that heads learn from, and the test sets by name."""


def measure(setting: Setting) -> None:
    """Run what is missing, keeping every run's figures as soon as it is done; store all."""
    torch.set_num_threads(1)
    base = configured({}, 0)
    # A folder for each trunk: figures on two trunks must not stand in one table.
    work = setting.work / "discrepancies" / trunk_hash()[:12]
    record = Record(work / "runs.json")
    training, rest = subset(graded_sheets(setting, *TRAINING, base), base, CLASS_SIZES)
    tests = {name: graded_sheets(setting, name, *counts, base) for name, counts in TESTS.items()}
    run_all_differences(record, (training, tests), rest, base, work, setting.progress)
    setting.store(RESULTS, stated(record, base))


def run_all_differences(
    record: Record,
    sets: Sets,
    rest: TrainingSet,
    base: TrainConfig,
    work: Path,
    progress: Progress = SILENT,
) -> None:
    """Run what a record misses: on a trunk as trained, moved, and without its Gaussian."""
    names = ("corrected", "no-last-layer", *FINISHED, *TRAINED, "moved-statistics")
    if not all(record.complete(name, SEEDS) for name in names):
        trunk = trained_trunk(base, rest, work / "trunk", progress)
        with_the_channel(record, trunk, sets, base, progress)
    if not record.complete("no-gaussian", SEEDS):
        without_the_channel(record, rest, sets, base, work / "blind")


def with_the_channel(
    record: Record, trunk: Trunk, sets: Sets, base: TrainConfig, progress: Progress = SILENT
) -> None:
    """Run every difference on the trunk as trained, then what moving statistics do to it."""
    data = on_trunk(trunk, *sets, base)
    models = {}
    for done, seed in enumerate(SEEDS, 1):
        models[seed] = head_runs(record, data, base, seed)
        progress.step("Seeds", done, len(SEEDS))
    shift_statistics(trunk, data, base)
    shifted = on_trunk(trunk, *sets, base)
    for seed in SEEDS:
        config = with_steps(configured({}, seed), base)
        record.keep("moved-statistics", seed, finished(models[seed], config, data, shifted))


def without_the_channel(
    record: Record, rest: TrainingSet, sets: Sets, base: TrainConfig, folder: Path
) -> None:
    """Run the corrected settings on a trunk that does not see which vertebra is meant."""
    pooling = {"pooling": "average"}
    channels = tuple(name for name in base.input.channels if name != "gaussian")
    blind = base.model_copy(
        update={
            "input": base.input.model_copy(update={"channels": channels}),
            "head": base.head.model_copy(update=pooling),
        }
    )
    data = on_trunk(trained_trunk(blind, rest, folder), *sets, blind)
    for seed in SEEDS:
        config = with_steps(configured({"head": pooling}, seed), blind)
        record.keep("no-gaussian", seed, finished(descended(config, data), config, data))


def head_runs(record: Record, data: OnTrunk, base: TrainConfig, seed: int) -> PrototypeNet:
    """Run every difference with one seed; return the corrected model before projection."""
    config = with_steps(configured({}, seed), base)
    corrected = descended(config, data)
    if not record.has("corrected", seed):
        record.keep("corrected", seed, finished(corrected, config, data))
    if not record.has("no-last-layer", seed):
        record.keep("no-last-layer", seed, finished(corrected, config, data, tune=False))
    for name, changes in FINISHED.items():
        if not record.has(name, seed):
            config = with_steps(configured(changes, seed), base)
            record.keep(name, seed, finished(corrected, config, data))
    for name, changes in TRAINED.items():
        if not record.has(name, seed):
            config = with_steps(configured(changes, seed), base)
            record.keep(name, seed, finished(descended(config, data), config, data))
    return corrected


def subset(
    data: TrainingSet, config: TrainConfig, sizes: Sequence[int]
) -> tuple[TrainingSet, TrainingSet]:
    """Return rows in these class sizes, and others for the trunk; no person in both."""
    labels = class_labels(data, config.task)
    picks = [np.flatnonzero(labels == k)[:n] for k, n in enumerate(sizes)]
    taken = np.sort(np.concatenate(picks))
    other = ~np.isin(data.subjects, data.subjects[taken])
    return data.take(taken), data.take(np.flatnonzero(other)[:TRUNK_ROWS])


def stated(record: Record, config: TrainConfig) -> dict[str, Any]:
    """Return all figures with what made them."""
    return {
        "command": "spinexplain reproduce discrepancies --fresh",
        "training": dict(zip(config.classes, CLASS_SIZES, strict=True)),
        "cohorts": {"training": TRAINING, "tests": TESTS},
        "trunk": {
            "from": SHIPPED,
            "weights_sha256": trunk_hash(),
            "rows": TRUNK_ROWS,
            "steps": config.classifier.steps,
        },
        "head_steps": config.warm.steps,
        "seeds": SEEDS,
        "torch": str(torch.__version__),
        "runs": record.runs,
    }
