"""Networks that learned from few against those that learned from many vertebrae."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.tasks import TASKS
from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.models.build import build_model
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.dissection.evidence import Units, units_of
from spinexplain.reproduce.dissection.networks import SHEETS, scratch_classifier
from spinexplain.reproduce.dissection.overlap import counts, tied
from spinexplain.reproduce.setting import Setting
from spinexplain.types import ModelInfo

SHEETS_SEED, COUNT, LEARNING = 2, 8000, 7000
BEST = "best.ckpt"
SIZES = (100, 800, LEARNING)


def sheet_sizes(setting: Setting) -> dict[str, Any]:
    """Train small classifiers on 100 to 7000 sheets; dissect all with the same other ones."""
    cohort = drawn_sheets(setting, "balanced", SHEETS_SEED, COUNT)
    rows = []
    for size in SIZES:
        rows.append(_sheet_size(setting.work / "dissection", cohort, size))
        setting.progress.step("Sizes", len(rows), len(SIZES))
    return {"cohort": cohort.path.name, "rows": rows}


def _sheet_size(work: Path, cohort: Cohort, size: int) -> dict[str, Any]:
    samples = select_samples(cohort, SHEETS, TASKS["g0-g2-g3"])
    # As many steps for all: what differs is what there was to learn from.
    learning = replace(samples, rows=samples.rows[samples.rows < size])
    grader = scratch_classifier(learning, work / f"scratch-{size}.safetensors")
    trained = {"vertebrae": len(learning), "fractures": int(learning.positive.sum())}
    held_out = replace(samples, rows=samples.rows[samples.rows >= LEARNING])
    return trained | row_of(grader, held_out)


def detector_sizes(models: list[str], cohort: Cohort) -> dict[str, Any]:
    """Dissect detectors that learned from cohorts of different sizes with one cohort.

    A model is ``PATH=VERTEBRAE/FRACTURES``: a bundle or a run of ``trials``, and what it
    learned from.
    """
    rows = []
    for model in models:
        path, _, sizes = model.partition("=")
        vertebrae, fractures = map(int, sizes.split("/"))
        grader = (
            run_grader(Path(path))
            if (Path(path) / BEST).is_file()
            else load_grader(path, runtime="torch")
        )
        samples = select_samples(cohort, grader.spec, grader.task)
        name = f"{grader.info.name} {grader.info.version}"
        trained = {"name": name, "vertebrae": vertebrae, "fractures": fractures}
        rows.append(trained | row_of(grader, samples))
    return {"cohort": cohort.path.name, "rows": rows}


def run_grader(folder: Path) -> Grader:
    """Read the best epoch of a single training, such as one of ``trials``."""
    config = TrainConfig(**json.loads((folder / "config.json").read_text("utf-8")))
    trunk = build_trunk(config.trunk, config.input)
    model = build_model(trunk, config.head, len(config.classes), config.input)
    state = torch.load(folder / BEST, weights_only=True)
    inside = "detector."
    model.load_state_dict(
        {name.removeprefix(inside): v for name, v in state.items() if name.startswith(inside)}
    )
    info = ModelInfo(folder.name, "0", "", config.classes, folder.name)
    return Grader(model.eval(), config.input, config.task, info)


def row_of(grader: Grader, samples: Samples) -> dict[str, Any]:
    """Dissect one network: how well it finds fractures, and what its first units are."""
    units, activity, _ = units_of(grader, samples)
    positive, negative = units.shares()
    top = units.top("contrast")
    return counts(samples) | {
        "auc": model_auc(grader, activity, units),
        "units": len(units.ranked),
        "tied": tied(units),
        "contrast_top": float((positive - negative)[top].mean()),
        "iou_top": float(units.iou()[top].mean()),
        "share_top": float(units.share()[top].mean()),
        "chance": units.chance,
    }


def model_auc(grader: Grader, activity: Activity, units: Units) -> float:
    """Return the area under the curve of the network itself, first class against the rest."""
    logits = activity.logits - activity.logits.max(axis=1, keepdims=True)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    healthy = [grader.task.healthy_index]
    return float(auc(1 - shares[:, healthy], units.positive)[0])
