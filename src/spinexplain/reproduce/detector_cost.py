"""What a box costs the training of the 3-D detector, on one core.

CPU milliseconds a box, the least of a few repeats: cutting and changing it as the preset
``detector`` does with half of the boxes, and one step forward, backward and of Adam in batches
of eight. Processors with and without bfloat16 have rows of their own, and only those of the kind
that measures are replaced.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from spinexplain.config.training import InputSpec, TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.build import build_model
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.precision import has_bfloat16
from spinexplain.train.grading.augment_volume import volume_crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.detector import WithHeight, detection_objective

RESULTS = "detector-cost.json"
BATCH, REPEATS = 8, 3
SIZES = ((64, 0.25), (96, 0.25), (96, 0.5))
"""Box side in mm, width of the encoder."""


def measure(setting: Setting) -> None:
    """Measure every size and store it beside what the other kind of processor took."""
    torch.set_num_threads(1)
    config = read_config("detector")
    rows = []
    for size, width in SIZES:
        rows.append(row_of(config, size, width))
        setting.progress.step("Boxes", len(rows), len(SIZES))
    kept = [row for row in known(setting) if row["bfloat16"] != has_bfloat16()]
    setting.store(RESULTS, {"batch": BATCH, "rows": kept + rows})


def known(setting: Setting) -> list[dict[str, Any]]:
    """Return the rows that are stored, here or in the repository."""
    here = setting.stored(RESULTS)
    path = setting.checkout / "docs" / "results" / RESULTS
    if here is None and path.is_file():
        here = json.loads(path.read_text("utf-8"))
    return [] if here is None else list(here["rows"])


def row_of(config: TrainConfig, size: int, width: float) -> dict[str, Any]:
    """Measure a box of a size, for an encoder of a width."""
    changes = {"size": size, "extent_mm": float(size)}
    spec = config.input.model_copy(update=changes)
    return {
        "size": size,
        "width": width,
        "head_width": config.head.width,
        "bfloat16": has_bfloat16(),
        "augment_ms": cutting(config, spec),
        "step_ms": step(config, spec, width),
    }


def cutting(config: TrainConfig, spec: InputSpec) -> float:
    """Return the CPU milliseconds of cutting and changing a box."""
    noise = np.random.default_rng(0).integers(-900, 900, (BATCH, 112, 112, 112), np.int16)
    names = np.array(["box"] * BATCH)
    data = TrainingSet(noise, np.zeros(BATCH, int), names, names, names, np.full((BATCH, 3), 55.5))
    assert config.volume_augment is not None
    half = config.volume_augment.model_copy(update={"share": 0.5})
    rows, first = np.arange(BATCH), np.zeros(BATCH, int)
    keys = [(0, epoch) for epoch in range(4)]
    return cpu_ms(lambda: [volume_crops(data, rows, spec, half, k, first) for k in keys], len(keys))


def step(config: TrainConfig, spec: InputSpec, width: float) -> float:
    """Return the CPU milliseconds of a box in one step of the descent."""
    trunk = build_trunk(config.trunk.model_copy(update={"width": width}), spec)
    detector = build_model(trunk, config.head, 2, spec)
    assert isinstance(detector, DetectorNet)
    net = WithHeight(detector).train()
    objective = detection_objective(net, 1.0, config.detector.precision)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    x = torch.rand(BATCH, 1, *(spec.size,) * 3)
    batch = Batch(x, torch.arange(BATCH) % 2, None, torch.rand(BATCH))

    def descend() -> None:
        optimizer.zero_grad()
        objective(batch)["total"].backward()
        optimizer.step()

    return cpu_ms(descend, 1)


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Return the CPU time of a box, the least of some repeats after a first one."""
    work()
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return round(1000 * min(taken) / times / BATCH, 1)
