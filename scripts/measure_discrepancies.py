"""Measure what each difference between paper, code and this package does, on drawn phantoms.

    python scripts/measure_discrepancies.py                             # about 20 CPU minutes
    python scripts/measure_discrepancies.py --table                     # only write the table

Training rows are drawn in the class sizes of the paper's training split (982, 58, 38) from one
cohort; the shipped model's trunk learns a little from other rows of it and is then frozen. On its
cached features every difference alone trains a prototype head, with three seeds. Results go to
``docs/data/discrepancies.json``, the table into ``docs/discrepancies.md``. An interrupted
measurement is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import torch
from discrepancy_figures import Data
from discrepancy_heads import configured, descended, finished, on_trunk, with_steps
from discrepancy_table import write_table
from discrepancy_trunks import SHIPPED, shift_statistics, trained_trunk, trunk_hash
from train_shipped import drawn

from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels, with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.io.files import atomic_file
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.trunks.backbones import Trunk

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "data" / "discrepancies.json"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "discrepancies")
    parser.add_argument("--table", action="store_true", help="only write the table")
    parser.add_argument("--so-far", action="store_true", help="store the runs that are done")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps of everything; stores nothing"
    )
    options = parser.parse_args()
    # A folder for each trunk: figures on two trunks must not stand in one table.
    work = options.work / trunk_hash()[:12]
    if options.so_far:
        store(Record(work / "runs.json"), configured({}, 0))
    elif not options.table:
        torch.set_num_threads(1)
        measure(options.cohorts, work / "quick" if options.quick else work, options.quick)
    if options.quick:
        return
    write_table(RESULTS, ROOT / "docs" / "discrepancies.md")


def measure(cohorts: Path, work: Path, quick: bool) -> None:
    """Run what is missing, keeping every run's figures as soon as it is done."""
    base = shortened(configured({}, 0)) if quick else configured({}, 0)
    record = Record(work / "runs.json")
    sizes = [n // 10 for n in CLASS_SIZES] if quick else CLASS_SIZES
    training, rest = subset(opened(cohorts, *TRAINING, base), base, sizes)
    tests = {name: opened(cohorts, name, *counts, base) for name, counts in TESTS.items()}
    if quick:
        tests = {name: data.take(np.arange(40)) for name, data in tests.items()}
    sets = (training, tests)
    trunk = trained_trunk(base, rest, work / "trunk")
    with_the_channel(record, trunk, sets, base)
    if not record.complete("no-gaussian"):
        without_the_channel(record, rest, sets, base, work / "blind")
    if not quick:
        store(record, base)


def with_the_channel(record: Record, trunk: Trunk, sets: Sets, base: TrainConfig) -> None:
    """Run every difference on the trunk as trained, then what moving statistics do to it."""
    names = ("corrected", "no-last-layer", *FINISHED, *TRAINED)
    if all(record.complete(name) for name in (*names, "moved-statistics")):
        return
    data = on_trunk(trunk, *sets, base)
    models = {seed: head_runs(record, data, base, seed) for seed in SEEDS}
    shift_statistics(trunk, data, base)
    shifted = on_trunk(trunk, *sets, base)
    for seed in SEEDS:
        config = with_steps(configured({}, seed), base)
        record.keep("moved-statistics", seed, finished(models[seed], config, data, shifted))


def without_the_channel(
    record: Record, rest: TrainingSet, sets: Sets, base: TrainConfig, folder: Path
) -> None:
    """Run the corrected settings on a trunk that is not told which vertebra is meant."""
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


def head_runs(record: Record, data: Data, base: TrainConfig, seed: int) -> PrototypeNet:
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


class Record:
    """The figures of all runs so far, on disk after each."""

    def __init__(self, path: Path) -> None:
        self.path, self.runs = path, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self.runs = json.loads(path.read_text("utf-8"))

    def has(self, name: str, seed: int) -> bool:
        return str(seed) in self.runs.get(name, {})

    def complete(self, name: str) -> bool:
        return all(self.has(name, seed) for seed in SEEDS)

    def keep(self, name: str, seed: int, figures: dict[str, Any]) -> None:
        self.runs.setdefault(name, {})[str(seed)] = figures
        with atomic_file(self.path) as temporary:
            temporary.write_text(json.dumps(self.runs, indent=1))
        print(f"{time.process_time():6.0f} s  {name} {seed}  {figures}", flush=True)


def shortened(config: TrainConfig) -> TrainConfig:
    few = {
        name: getattr(config, name).model_copy(update={"steps": 3})
        for name in ("classifier", "warm")
    }
    return config.model_copy(update=few)


def opened(folder: Path, preset: str, seed: int, count: int, config: TrainConfig) -> TrainingSet:
    """Open a cohort of drawn sheets, drawn now if it is not there; only its graded classes."""
    path = folder / f"{preset}-{seed}-{count}"
    data = (
        set_from_cohort(Cohort.open(path)) if path.exists() else drawn(folder, preset, seed, count)
    )
    return with_classes(data, config.task, 1)


def subset(
    data: TrainingSet, config: TrainConfig, sizes: Sequence[int]
) -> tuple[TrainingSet, TrainingSet]:
    """Return rows in these class sizes, and others for the trunk; no person in both."""
    labels = class_labels(data, config.task)
    picks = [np.flatnonzero(labels == k)[:n] for k, n in enumerate(sizes)]
    taken = np.sort(np.concatenate(picks))
    other = ~np.isin(data.subjects, data.subjects[taken])
    return data.take(taken), data.take(np.flatnonzero(other)[:TRUNK_ROWS])


def store(record: Record, config: TrainConfig) -> None:
    """Keep all figures with what made them."""
    content = {
        "command": "python scripts/measure_discrepancies.py",
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
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
