"""The dissection paper's detector as published, as released and as here, side by side.

Three presets learn from one cohort, seed by seed, and are graded and dissected on the same unseen
spines. Written down before any of these trainings ran; the rule stands in docs/decisions/claims.md.

* What a preset sets stays: encoder and its normalization, width and dropout of the head, kinds
  and sizes of random changes, how long an epoch is, the decay of the rate, the loss of height,
  the quantile; and that the published box is half as wide again as the two others.
* What a processor does not afford is smaller for all alike: boxes of three quarters of their sides
  in samples of 1.5 mm, encoders at a quarter of their width (128 units each), batches of 8, as
  many steps, one precision, random changes 0.3 times as often as a preset makes them. Bending and
  blur, of at most half a sample, are left out. No patience ends so short a training.
* Learned from 45 `balanced` phantoms, the best epoch chosen on 12 others, both those of
  ``training_size``; unseen are 20 new persons.
* At least two seeds of each, every preset of a seed before the next one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress
from spinexplain.reproduce.dissection.areas import compared_areas
from spinexplain.reproduce.dissection.cohorts import narrow_boxes
from spinexplain.reproduce.dissection.opponents import opponents
from spinexplain.reproduce.dissection.overlap import counts
from spinexplain.reproduce.dissection.training_size import (
    LEARNING,
    PRESET,
    VALIDATION,
    Persons,
    dissected,
    in_memory,
    learned_figures,
    trained,
)
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.sampling import crops_per_class, steps_per_epoch

RESULTS = "detector-presets.json"
PRESETS = ("detector-as-published", "detector-as-released", "detector")
UNSEEN = (6620, 20)
"""Seed of the phantoms, scans: persons that no other study has drawn."""
SEEDS = (0, 1, 2)
BOX, SAMPLE_MM, WIDTH, CHANGED = 0.75, 1.5, 0.25, 0.3
"""Shares of what the presets say: of a side, of channels, of how often a change is made."""
STEPS, BATCH, PRECISION = 232, 8, "bf16"
KEPT_MM = 96
"""Of a stored box: the widest, which is turned, and a margin."""


def measure(setting: Setting, seeds: tuple[int, ...] = SEEDS) -> None:
    """Train and dissect what is missing, seed by seed; results are stored after every seed."""
    torch.set_num_threads(1)
    work = setting.work / "detector-presets"
    persons = drawn(setting)
    record = Record(work / "runs.json")
    planned = [(name, seed) for seed in seeds for name in PRESETS]
    for done, (name, seed) in enumerate(planned, 1):
        figures_kept(record, name, seed, persons, work, setting.progress)
        if name == PRESETS[-1]:
            setting.store(RESULTS, stated(record, persons))
        setting.progress.step("Presets and seeds", done, len(planned))


def figures_kept(
    record: Record,
    name: str,
    seed: int,
    persons: Persons,
    work: Path,
    progress: Progress = SILENT,
) -> None:
    """Train, grade and dissect one detector unless its figures are there."""
    if record.has(name, seed):
        return
    config, folder = design(name, persons.learning), work / f"{name}-seed-{seed}"
    grader = trained(config, persons.learning, persons.validation, folder, seed, progress)
    figures = learned_figures(folder, persons.learning, 1)
    record.keep(name, seed, figures | figures_on(grader, persons.unseen, config))


def drawn(setting: Setting) -> Persons:
    """Draw the boxes, or open those that are there; whole, as the presets see unlike parts."""
    base = read_config(PRESETS[0])
    learning, validation = (
        in_memory(narrow_boxes(setting, PRESET, *which), base, KEPT_MM)
        for which in (LEARNING, VALIDATION)
    )
    unseen = narrow_boxes(setting, PRESET, *UNSEEN, masks=True)
    return Persons(learning, validation, select_samples(unseen, base.input, base.task))


def design(name: str, learning: TrainingSet) -> TrainConfig:
    """Return a preset with all that it says, at what a processor affords.

    The epochs are as many as come nearest to :data:`STEPS`, whatever an epoch is.
    """
    config = read_config(name)
    assert config.volume_augment is not None
    labels = class_labels(learning, config.task)
    each = steps_per_epoch(labels, crops_per_class(labels, config.detector.epoch), BATCH)
    extent_mm = BOX * config.input.extent_mm
    changes: dict[str, dict[str, Any]] = {
        "input": {"extent_mm": extent_mm, "size": round(extent_mm / SAMPLE_MM)},
        "trunk": {"width": WIDTH},
        "detector": {
            "epochs": max(round(STEPS / each), 1),
            "batch": BATCH,
            "precision": PRECISION,
        },
        "volume_augment": {
            "share": CHANGED * config.volume_augment.share,
            "elastic_mm": 0.0,
            "blur_mm": 0.0,
        },
    }
    return config.model_copy(
        update={part: getattr(config, part).model_copy(update=new) for part, new in changes.items()}
    )


def figures_on(grader: Grader, unseen: Samples, config: TrainConfig) -> dict[str, Any]:
    """Grade unseen vertebrae one by one, as a report does, and dissect by the preset's quantile."""
    samples = Samples(unseen.cohort, unseen.rows, config.input, unseen.split)
    alone, together = (log_odds(grader, samples, size) for size in (1, BATCH))
    changed = float(np.mean((alone > 0) != (together > 0)))
    found = dissected(grader, samples, config.dissection.quantile)
    return found | {"log_odds": alone.tolist(), "changed_in_batches": changed}


@torch.inference_mode()
def log_odds(grader: Grader, samples: Samples, at_once: int) -> np.ndarray:
    """Return the log odds of fracture of all vertebrae, so many at once, (N,)."""
    logits = torch.cat([grader.model(x) for x in samples.batches(at_once)]).double()
    return (logits[:, 1] - logits[:, 0]).numpy()


def stated(record: Record, persons: Persons) -> dict[str, Any]:
    """Return all figures with what made them, and the differences with their intervals."""
    configs = {name: design(name, persons.learning) for name in PRESETS}
    done = sorted(set.intersection(*(set(record.runs[name]) for name in PRESETS)), key=int)
    runs = {name: {seed: record.runs[name][seed] for seed in done} for name in PRESETS}
    unseen = persons.unseen
    blind = opponents(persons)
    odds = {name: [np.array(runs[name][seed]["log_odds"]) for seed in done] for name in PRESETS} | {
        name: [values] for name, values in blind.items()
    }
    return {
        "command": "spinexplain reproduce detector-presets --fresh",
        "preset": PRESET,
        "learning": LEARNING,
        "validation": VALIDATION,
        "unseen": UNSEEN,
        "counts": counts(unseen),
        "width": WIDTH,
        "batch": BATCH,
        "precision": PRECISION,
        "settings": {name: settings(config) for name, config in configs.items()},
        "runs": {
            name: {seed: without_odds(run) for seed, run in of_seed.items()}
            for name, of_seed in runs.items()
        },
        "areas": compared_areas(odds, unseen.positive, unseen.column("subject")),
        "torch": str(torch.__version__),
    }


def settings(config: TrainConfig) -> dict[str, Any]:
    """Return what distinguishes a preset."""
    assert config.volume_augment is not None
    return {
        "encoder": config.trunk.name,
        "extent_mm": config.input.extent_mm,
        "size": config.input.size,
        "head_width": config.head.width,
        "dropout": config.head.dropout,
        "changed": config.volume_augment.share,
        "lambda_height": config.loss.lambda_height,
        "epoch": config.detector.epoch,
        "epochs": config.detector.epochs,
        "decay": config.detector.decay,
        "quantile": config.dissection.quantile,
    }


def without_odds(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run's figures without the log odds of every vertebra."""
    return {key: value for key, value in run.items() if key != "log_odds"}
