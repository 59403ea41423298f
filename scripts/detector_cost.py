"""Measures what a box costs the training of the 3-D detector, on one core.

    python scripts/detector_cost.py

CPU milliseconds a box, the least of a few repeats, in docs/results/detector-cost.json:
cutting and changing it as the preset ``detector`` does with half of the boxes, and one step
forward, backward and of Adam in batches of eight. Processors with and without bfloat16 have
rows of their own, and only those of the kind that measures are replaced.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import torch

from spinexplain.config.training import InputSpec, TrainConfig, read_config
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.engine.precision import has_bfloat16
from spinexplain.train.grading.augment_volume import volume_crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.detector import WithHeight, detection_objective

OUT = Path(__file__).resolve().parents[1] / "docs" / "results" / "detector-cost.json"
BATCH, REPEATS = 8, 3


def main() -> None:
    torch.set_num_threads(1)
    config = read_config("detector")
    rows = [measured(config, size, width) for size, width in ((64, 0.25), (96, 0.25), (96, 0.5))]
    known = json.loads(OUT.read_text())["rows"] if OUT.is_file() else []
    kept = [row for row in known if row["bfloat16"] != has_bfloat16()]
    OUT.write_text(json.dumps({"batch": BATCH, "rows": kept + rows}, indent=1) + "\n")
    print(json.dumps(rows, indent=1))


def measured(config: TrainConfig, size: int, width: float) -> dict[str, float]:
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
    noise = np.random.default_rng(0).integers(-900, 900, (BATCH, 112, 112, 112), np.int16)
    names = np.array(["box"] * BATCH)
    data = TrainingSet(noise, np.zeros(BATCH, int), names, names, names, np.full((BATCH, 3), 55.5))
    half = config.volume_augment.model_copy(update={"share": 0.5})
    rows, first = np.arange(BATCH), np.zeros(BATCH, int)
    keys = [(0, epoch) for epoch in range(4)]
    return cpu_ms(lambda: [volume_crops(data, rows, spec, half, k, first) for k in keys], len(keys))


def step(config: TrainConfig, spec: InputSpec, width: float) -> float:
    trunk = build_trunk(config.trunk.model_copy(update={"width": width}), spec)
    net = WithHeight(build_model(trunk, config.head, 2, spec)).train()
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


if __name__ == "__main__":
    main()
