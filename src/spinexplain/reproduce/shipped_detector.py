"""The training of the 3-D detector that comes with the package, on boxes of phantom scans.

Everything is a function of the presets, the seeds and the counts below; they are recorded in
the bundle. An interrupted training is taken up where it stopped.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet, class_labels, joined
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.sheets import GRADED
from spinexplain.evaluate.bootstrap import subject_draws
from spinexplain.evaluate.detection import FIGURES, detection_figures
from spinexplain.models.bundle.store import save_bundle
from spinexplain.reproduce.cohorts import drawn_boxes
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading.package import (
    PHANTOM_LICENCE,
    Statement,
    bundle_of,
    grade_counts,
    scope_of,
)
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.run import Trained
from spinexplain.train.grading.validate import predict

NAME, VERSION = "detector-phantom", "2"
HEIGHT_LOSS_OF_G2 = 0.25
TRAINING = {"verse-like-11": 50, "hospital-like-12": 110, "balanced-13": 140}
TESTS = {
    "verse-like-990": 41,
    "hospital-like-991": 22,
    "hard-992": 21,
    "shifted-scanner-993": 14,
}
"""Preset and seed -> scans. The test cohorts hold forty fractures each, or more."""

STAGES = {64: 8, 96: 7}
"""Box side in mm -> epochs. The encoder learns on small boxes first: they cost a third."""


def train_detector(setting: Setting, out: Path) -> None:
    """Draw the cohorts, train in stages, test, and write the bundle to ``out``."""
    torch.set_num_threads(1)
    trained = in_stages(setting)
    held_out = {name: measured(trained, read(setting, name)) for name in TESTS}
    save_bundle(bundle_of(trained, stated(trained, held_out)), out, force=True)


def read(setting: Setting, name: str) -> TrainingSet:
    """Return the boxes of a cohort, called after preset and seed; drawn if they are not there."""
    preset, _, seed = name.rpartition("-")
    cohort = drawn_boxes(setting, preset, int(seed), (TRAINING | TESTS)[name])
    return set_from_cohort(cohort, axes=3, masks=False)


def in_stages(setting: Setting) -> Trained:
    """Train on boxes of one size after another, each encoder going on from the one before."""
    data, work = joined([read(setting, name) for name in TRAINING]), setting.work
    weights = "none"
    for size, epochs in STAGES.items():
        config = stage(size, epochs, weights)
        run = work / "detector" / f"run-{size}"
        trained = train_model(config, data, run, resume=True, progress=setting.progress)
        weights = str(work / "detector" / f"detector-{size}.safetensors")
        state = trained.model.state_dict()
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, weights)
    begun = trained.config.trunk.model_copy(
        update={"weights": Path(trained.config.trunk.weights).name}
    )
    return replace(trained, config=trained.config.model_copy(update={"trunk": begun}))


def stage(size: int, epochs: int, weights: str) -> TrainConfig:
    """Return the preset for boxes of a size, with the epochs that a CPU affords."""
    config = read_config("detector")
    changes = {
        "input": {"size": size, "extent_mm": float(size)},
        "trunk": {"weights": weights},
        "detector": {"epochs": epochs, "epoch": "rarest", "precision": "fp32"},
        "volume_augment": {"share": 0.5},
    }
    parts = {
        name: getattr(config, name).model_copy(update=changed) for name, changed in changes.items()
    }
    return config.model_copy(update=parts | {"validation_share": 0.1})


def measured(trained: Trained, data: TrainingSet) -> dict[str, dict[str, float]]:
    """Return the figures of the model and of the height loss alone on one set."""
    data = data.take(class_labels(data, trained.config.task) >= 0)
    labels = class_labels(data, trained.config.task)
    assert data.height_loss is not None
    odds = np.diff(predict(trained.model, data, trained.config).astype(np.float64), axis=1)[:, 0]
    scores = 1 / (1 + np.exp(-odds))
    return {
        "size": {"vertebrae": len(data), "fractured": int(labels.sum())},
        "detector": detection_figures(labels, scores) | interval(labels, scores, data.subjects),
        "height loss alone": detection_figures(labels, data.height_loss, HEIGHT_LOSS_OF_G2),
    }


def interval(labels: np.ndarray, scores: np.ndarray, subjects: np.ndarray) -> dict[str, float]:
    """Return the 95 % interval of the AUC over drawn patients."""
    draws = subject_draws(subjects, seed=0)
    drawn_auc = [detection_figures(labels[rows], scores[rows])["auc"] for rows in draws]
    low, high = np.nanpercentile(drawn_auc, [2.5, 97.5])
    return {"auc_low": float(low), "auc_high": float(high)}


def trained_on(trained: Trained) -> str:
    """Say what a model was trained on."""
    counts = ", ".join(f"{name} {scans}" for name, scans in TRAINING.items())
    grades = ", ".join(f"{g} {count}" for g, count in grade_counts(trained.data.grades).items())
    return (
        f"{len(trained.data)} vertebrae of synthetic scans ({counts} scans, a tenth of the persons "
        f"set aside to choose the epoch; the number after a preset is its seed; {grades}); no "
        "patient was used for training or selection. The phantoms are generated by this package "
        "and carry its MIT licence."
    )


def settings() -> dict[str, Any]:
    """Return what reproduces a training."""
    return {
        "command": "python scripts/train_detector.py",
        "scans": TRAINING,
        "stages": [{"size": size, "epochs": epochs} for size, epochs in STAGES.items()],
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def stated(trained: Trained, held_out: dict[str, Any]) -> Statement:
    """Say what the model was trained and tested on, and how it did."""
    return Statement(
        name=NAME,
        version=VERSION,
        trained_on=trained_on(trained),
        scope=replace(scope_of(trained), levels=GRADED),
        results={"Held-out phantoms": f"{LEGEND}\n\n{table(held_out)}"},
        training=settings() | {"test_scans": TESTS, "held_out": held_out},
        data_licence=PHANTOM_LICENCE,
    )


LEGEND = (
    "G2 and G3 against G0, G1 left out; scans of other persons than the training's. F1 is averaged "
    "over the two classes; the AUC's interval is over patients. *Height loss alone* is the true "
    "loss that the phantom was built with, called a fracture from 25 % on: better than any "
    "measurement can be."
)


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    """Lay the figures out as a Markdown table."""
    titles = ["cohort", "vertebrae (fractured)", "by"]
    head = [*titles, *(f.replace("_", " of ") for f in FIGURES)]
    rows = [head, ["---"] * len(head)]
    for name, found in figures.items():
        size = f"{found['size']['vertebrae']} ({found['size']['fractured']})"
        for by in ("detector", "height loss alone"):
            rows.append([name, size, by, *(cell(found[by], f) for f in FIGURES)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def cell(found: dict[str, float], figure: str) -> str:
    """Write a figure, with its interval where there is one."""
    text = f"{found[figure]:.3f}"
    if figure == "auc" and "auc_low" in found:
        text += f" ({found['auc_low']:.3f}–{found['auc_high']:.3f})"
    return text
