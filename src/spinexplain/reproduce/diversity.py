"""What the diversity term and the class weights of ProtoVerse do, on a trunk that knew neither.

Written down before any result was seen: the trunk is a plain classifier's, from scratch; all
sizes, seeds and settings are the constants here; a difference not above what two seeds of the
same settings differ by is called none. Heads alone: the trunk is frozen.
"""

from __future__ import annotations

from typing import Any

import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
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
from spinexplain.reproduce.heads.trunks import classifiers_trunk
from spinexplain.reproduce.setting import Setting

RESULTS = "diversity.json"
TRUNK_SHEETS, TRUNK_STEPS = ("balanced", 6500, 400), 300
TRAINING = ("verse-like", 6501, 700)
TESTS = {"hard": (6502, 300), "verse-like": (6503, 300)}
SEEDS = (0, 1, 2)
HEAD_STEPS = 120
LAMBDAS = (0.0, 0.1, 0.3, 0.5)
SCHEMES = ("none", "ins", "isns", "median")
_TRUNK = {
    "name": "conv",
    "weights": "none",
    "blocks": 4,
    "max_stride": 8,
    "widths": [24, 48, 96, 128],
}
# The paper's terms alone: none on place, projection anywhere.
_PAPER: dict[str, Any] = {
    "trunk": _TRUNK,
    "warm": {"steps": HEAD_STEPS},
    "projection": {"inside_target": False},
    "classifier": {"steps": TRUNK_STEPS},
}


def settings_of(name: str, seed: int) -> TrainConfig:
    """Return the settings of one run by its name, ``lambda-0.3`` or ``weights-ins``.

    Examples
    --------
    >>> settings_of("lambda-0.5", 1).loss.lambda_div, settings_of("weights-ins", 0).loss.normalize
    (0.5, 'samples')
    """
    kind, _, value = name.partition("-")
    loss: dict[str, Any] = {"lambda_outside": 0.0}
    if kind == "lambda":
        loss["lambda_div"] = float(value)
    else:
        loss |= {"class_weights": value, "normalize": "samples"}
    return configured(_PAPER | {"loss": loss}, seed)


NAMES = (*(f"lambda-{value:g}" for value in LAMBDAS), *(f"weights-{name}" for name in SCHEMES))


def measure(setting: Setting) -> None:
    """Train the trunk, then every head with every seed, keeping each as it comes."""
    torch.set_num_threads(1)
    base = settings_of(NAMES[0], 0)
    work = setting.work / "diversity"
    record = Record(work / "runs.json")
    if not all(record.complete(name, SEEDS) for name in NAMES):
        preset, seed, count = TRUNK_SHEETS
        sheets = graded_sheets(setting, preset, seed, count, base)
        trunk = classifiers_trunk(base, sheets, work / "trunk", None, setting.progress)
        data = on_trunk(trunk, *_sets(setting, base), base)
        run_heads(record, data, base, setting)
    setting.store(RESULTS, stated(record, base))


def _sets(setting: Setting, base: TrainConfig) -> tuple[TrainingSet, dict[str, TrainingSet]]:
    tests = {name: graded_sheets(setting, name, *pair, base) for name, pair in TESTS.items()}
    return graded_sheets(setting, *TRAINING, base), tests


def run_heads(record: Record, data: OnTrunk, base: TrainConfig, setting: Setting) -> None:
    """Train what a record misses, one seed of everything after the other."""
    planned = [(name, seed) for seed in SEEDS for name in NAMES]
    for done, (name, seed) in enumerate(planned, 1):
        if not record.has(name, seed):
            config = with_steps(settings_of(name, seed), base)
            record.keep(name, seed, finished(descended(config, data), config, data))
        setting.progress.step("Heads", done, len(planned))


def stated(record: Record, config: TrainConfig) -> dict[str, Any]:
    """Return all figures with what made them."""
    return {
        "command": "spinexplain reproduce diversity --fresh",
        "trunk": {"sheets": TRUNK_SHEETS, "steps": TRUNK_STEPS, "settings": _TRUNK},
        "training": TRAINING,
        "tests": TESTS,
        "head_steps": HEAD_STEPS,
        "prototypes_per_class": config.head.prototypes_per_class,
        "seeds": SEEDS,
        "torch": str(torch.__version__),
        "runs": record.runs,
    }
