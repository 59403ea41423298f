"""The classifier phase, trained once for all configurations that begin with the same one.

Baseline and prototype networks start from the same classifier when the settings it depends
on are equal. Its checkpoint is then copied into the run's folder, from which the training
resumes: the bits are those of a run of its own.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

from spinexplain.config.settings_hash import settings_hash
from spinexplain.config.training import TrainConfig
from spinexplain.io.files import atomic_file

CHECKPOINT = "classifier.ckpt"
LOG = "log.csv"


def classifier_settings(config: TrainConfig) -> dict[str, Any]:
    """Return the settings on which the classifier phase depends."""
    content = config.model_dump(mode="json")
    whole = {
        name: content[name]
        for name in (
            "classes",
            "grades",
            "sampling",
            "seed",
            "validation_share",
            "input",
            "trunk",
            "augment",
            "simulated",
            "classifier",
        )
    }
    loss = {
        name: content["loss"][name]
        for name in ("class_weights", "normalize", "lambda_height", "grading")
    }
    return {**whole, "pooling": content["head"]["pooling"], "loss": loss}


def classifier_key(config: TrainConfig, data_key: str) -> str:
    """Name the classifier phase by its settings and its training data.

    Examples
    --------
    >>> one = TrainConfig(loss={"lambda_div": 0.0})
    >>> classifier_key(one, "fold 1") == classifier_key(TrainConfig(), "fold 1")
    True
    """
    return settings_hash([classifier_settings(config), data_key])[:24]


def take(store: Path, key: str, run: Path) -> bool:
    """Copy a finished classifier phase into a run that has none; say whether it was there."""
    kept = store / key
    if not (kept / CHECKPOINT).is_file() or (run / CHECKPOINT).exists():
        return False
    run.mkdir(parents=True, exist_ok=True)
    for name in (LOG, CHECKPOINT):  # the checkpoint last: it makes the copy count
        with atomic_file(run / name) as temporary:
            shutil.copyfile(kept / name, temporary)
    return True


def keep(store: Path, key: str, run: Path) -> None:
    """Keep the classifier phase of a finished run for others."""
    kept = store / key
    if (kept / CHECKPOINT).is_file() or not (run / CHECKPOINT).is_file():
        return
    kept.mkdir(parents=True, exist_ok=True)
    with (run / LOG).open(newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] in ("phase", "classifier")]
    with atomic_file(kept / LOG) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with atomic_file(kept / CHECKPOINT) as temporary:
        shutil.copyfile(run / CHECKPOINT, temporary)
