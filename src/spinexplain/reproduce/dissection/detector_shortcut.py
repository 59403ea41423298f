"""A planted shortcut in the 3-D detector: boxes of scans with marks, and the same without.

What a unit must do to lie on the mark or to fall silent is what it was for the sheets
(``ON_THE_MARK``, ``SILENCED``, the first ten units, the 0.995 quantile): fixed before any
detector was trained here. Judged by silencing, not by place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.explainers.dissection.activity import layer_activity
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.dissection.cohorts import marked_boxes
from spinexplain.reproduce.dissection.evidence import evidence_of
from spinexplain.reproduce.dissection.overlap import counts
from spinexplain.reproduce.dissection.shortcut import dissected
from spinexplain.reproduce.dissection.training_size import late_gain
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading.recipes import train_model
from spinexplain.types import ModelInfo

RESULTS = "detector-shortcut.json"
PRESET = "shortcut-2"  # 11 to 25 mm from the center: boxes hold their centers, rims may be cut
LEARNING, UNSEEN = (6720, 40), (6721, 20)  # seed, scans
EXTENT_MM, SIZE = 48.0, 32
EPOCHS, BATCH, CHANGED, PRECISION = 12, 8, 0.3, "bf16"
SEEDS = (0, 1, 2)
AT_LEAST, AT_MOST = 5, 1
"""Of the first ten, silenced in the detector that learned with marks, and in the other."""


def measure(setting: Setting) -> None:
    """Train two detectors on the same persons, one of them with marks; dissect both.

    Seed by seed; results are stored after each.
    """
    torch.set_num_threads(1)
    config, work = design(), setting.work / work_name()
    learning = marked_boxes(setting, *LEARNING, masks=False, preset=PRESET)
    unseen = {
        name: select_samples(cohort, config.input, config.task)
        for name, cohort in marked_boxes(setting, *UNSEEN, masks=True, preset=PRESET).items()
    }
    samples = unseen["marked"]
    marks = np.stack([evidence_of(samples, n, "shortcut") for n in range(len(samples))])
    record = Record(work / "runs.json")
    for seed in SEEDS:
        for name, cohort in learning.items():
            if not record.has(name, seed):
                own = config.model_copy(update={"seed": seed})
                run = work / f"{name}-seed-{seed}"
                grader, figures = trained(own, cohort, run, setting.progress)
                record.keep(name, seed, figures | _dissected(grader, unseen, marks))
        content = {
            "command": "spinexplain reproduce detector-shortcut --fresh",
            "preset": PRESET,
            "config": settings(config),
            "learned": counts(select_samples(learning["marked"], config.input, config.task)),
            "unseen": counts(samples) | marked_counts(marks, samples.positive),
            "rule": {"at_least": AT_LEAST, "at_most": AT_MOST},
            "seeds": [s for s in SEEDS if s <= seed],
            "networks": record.runs,
        }
        setting.store(RESULTS, content)


def work_name() -> str:
    """Name the folder of trainings after what they learn from, so that no others are taken up.

    Examples
    --------
    >>> work_name()
    'detector-shortcut-shortcut-2-6720x40-6721x20-48mm-32'
    """
    persons = "-".join(f"{seed}x{scans}" for seed, scans in (LEARNING, UNSEEN))
    return f"detector-shortcut-{PRESET}-{persons}-{EXTENT_MM:g}mm-{SIZE}"


def design() -> TrainConfig:
    """Return the preset in the boxes that few spines were enough to learn from."""
    config = read_config("detector")
    changes: dict[str, dict[str, Any]] = {
        "input": {"extent_mm": EXTENT_MM, "size": SIZE},
        "detector": {"epochs": EPOCHS, "patience": EPOCHS, "batch": BATCH, "precision": PRECISION},
        "volume_augment": {"share": CHANGED, "elastic_mm": 0.0, "blur_mm": 0.0},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=new) for name, new in changes.items()}
    )


def trained(
    config: TrainConfig, cohort: Cohort, run: Path, progress: Progress = SILENT
) -> tuple[Grader, dict[str, Any]]:
    """Train a detector on a cohort's boxes, or take up the run that is there."""
    data = set_from_cohort(cohort, axes=3, masks=False)
    found = train_model(config, data, run, resume=True, progress=progress)
    info = ModelInfo(run.name, "0", "", config.classes, cohort.path.name)
    grader = Grader(found.model.eval(), config.input, config.task, info)
    scores = [one["f1"] for one in json.loads((run / "validation.json").read_text("utf-8"))]
    return grader, {"validation_f1": float(found.figures["f1"]), "late_gain": late_gain(scores)}


def _dissected(grader: Grader, unseen: dict[str, Samples], marks: np.ndarray) -> dict[str, Any]:
    seen = {
        name: layer_activity(grader.model, "trunk", one.batches(8), len(one))
        for name, one in unseen.items()
    }
    cells = {"cells": list(seen["marked"].grid)}
    return cells | dissected(grader, unseen["marked"], marks, seen)


def settings(config: TrainConfig) -> dict[str, float | str]:
    """Return what the page says of a training."""
    assert config.volume_augment is not None
    return {
        "extent_mm": config.input.extent_mm,
        "size": config.input.size,
        "epochs": config.detector.epochs,
        "batch": config.detector.batch,
        "precision": config.detector.precision,
        "width": config.trunk.width,
        "head_width": config.head.width,
        "changed": config.volume_augment.share,
    }


def marked_counts(marks: np.ndarray, positive: np.ndarray) -> dict[str, float]:
    """Count fractured and healthy vertebrae with a mark in view, and say how large it is.

    ``chance`` is its share of the fractured vertebrae's crops.
    """
    whole = marks.reshape(len(marks), -1)
    carries = whole.any(axis=1)
    return {
        "marked_positives": int((carries & positive).sum()),
        "marked_negatives": int((carries & ~positive).sum()),
        "mark_mm3": float(np.median(whole[carries].sum(axis=1))),
        "chance": float(whole[positive].mean()),
    }
