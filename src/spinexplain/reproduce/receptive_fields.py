"""Accuracy against evidence on bone by receptive field: heads on earlier layers of one trunk.

The shipped model's trunk is cut after ever fewer convolutions and frozen, so that a cell sees 27
to 75 mm of the 112 mm crop on one and the same 14 x 14 grid, and 19 mm on a finer one. On each
cut a prototype head is trained. Figures are kept as they are measured; what is there is not
measured again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, joined
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.receptive import ConvStep, receptive_field
from spinexplain.models.trunks.backbones import Trunk
from spinexplain.reproduce.cohorts import graded_sheets
from spinexplain.reproduce.heads.training import (
    configured,
    descended,
    finished,
    on_trunk,
    with_steps,
)
from spinexplain.reproduce.heads.trunks import SHIPPED, shipped_trunk
from spinexplain.reproduce.setting import Setting

RESULTS = "receptive-fields.json"
CUTS = (8, 6, 4, 7, 5)  # convolutions kept of eight, the most telling first
SEEDS = (0, 1, 2)
TRAINING = {"verse-like": (980, 800), "hard": (980, 800)}
TESTS = {"verse-like": (990, 400), "hard": (990, 400)}


def measure(setting: Setting) -> None:
    """Run what is missing of the shipped trunk, storing every run as soon as it is done."""
    torch.set_num_threads(1)
    grader = load_grader(SHIPPED, runtime="torch")
    whole = shipped_trunk()
    results = setting.stored(RESULTS) or {}
    if results.get("weights_sha256") != grader.info.weights_sha256:
        results = {"weights_sha256": grader.info.weights_sha256, "runs": []}
    base = configured({}, 0)
    train, tests = (
        {name: graded_sheets(setting, name, *counts, base) for name, counts in chosen.items()}
        for chosen in (TRAINING, TESTS)
    )
    training = joined(list(train.values()))
    for done, cut in enumerate(CUTS, 1):
        there = {run["seed"] for run in results["runs"] if run["convolutions"] == cut}
        left = sorted(set(SEEDS) - there)
        if left:
            trunk = cut_trunk(whole, cut)
            for run in heads_on(trunk, training, tests, base, left):
                results["runs"].append({"convolutions": cut} | run)
                setting.store(RESULTS, ABOUT | {"torch": str(torch.__version__)} | results)
        setting.progress.step("Cuts", done, len(CUTS))


ABOUT = {
    "command": "spinexplain reproduce receptive-fields --fresh",
    "trunk": SHIPPED,
    "training": TRAINING,
    "tests": TESTS,
}


def heads_on(
    trunk: Trunk,
    training: TrainingSet,
    tests: dict[str, TrainingSet],
    base: TrainConfig,
    seeds: list[int],
) -> Iterator[dict[str, Any]]:
    """Train a head a seed on a frozen trunk; yield what each is worth."""
    data = on_trunk(trunk, training, tests, base)
    for seed in seeds:
        config = with_steps(configured({}, seed), base)
        figures = finished(descended(config, data), config, data)
        field = {"field_mm": trunk.field.size, "stride_mm": trunk.field.stride}
        yield {"seed": seed} | field | figures


def cut_trunk(trunk: Trunk, convolutions: int) -> Trunk:
    """Return the first convolutions of a plain trunk, each with its normalization and ReLU."""
    assert isinstance(trunk.layers, nn.Sequential)
    layers = list(trunk.layers)[: 3 * convolutions]
    kept = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    steps = [ConvStep(c.kernel_size[0], c.stride[0], int(c.padding[0])) for c in kept]
    made = Trunk(nn.Sequential(*layers), kept[-1].out_channels, receptive_field(steps))
    for parameter in made.parameters():
        parameter.requires_grad_(False)
    return made.eval()
