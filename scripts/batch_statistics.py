"""Measures what normalizing by the batch's own statistics does to a detector's grades.

    python scripts/batch_statistics.py COHORT...

Grades the vertebrae of the cohorts with the shipped detector, its normalization replaced by
the released code's, once alone and once in batches, and writes
docs/results/batch-statistics.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.inputs import network_input
from spinexplain.models.trunks.unet3d import BatchStatisticsNorm3d
from spinexplain.train.grading.augment import plain_crops

ROOT = Path(__file__).resolve().parents[1]
BATCH = 10  # in which the released code collects its quantiles


def main(cohorts: list[Path]) -> None:
    torch.set_num_threads(1)
    model, spec = (grader := load_grader("detector-phantom", runtime="torch")).model, grader.spec
    inputs = []
    for path in cohorts:
        data = set_from_cohort(Cohort.open(path), axes=3, masks=False)
        for row in np.random.default_rng(0).permutation(len(data))[:30]:
            crops = plain_crops(data, np.array([row]), spec)
            inputs.append(network_input(crops.hu, crops.centers, spec))
    x = torch.cat(inputs)[: len(inputs) // BATCH * BATCH]
    running = difference(model, x)
    with_batch_statistics(model)
    batch = difference(model, x)
    found = {
        "presets": [path.name.rpartition("-")[0] for path in cohorts],
        "vertebrae": len(x),
        "batch": BATCH,
        "changed_share": float(np.mean((batch[0] >= 0.5) != (batch[1] >= 0.5))),
        "median_change": float(np.median(np.abs(batch[0] - batch[1]))),
        "largest_change": float(np.abs(batch[0] - batch[1]).max()),
        "largest_change_running": float(np.abs(running[0] - running[1]).max()),
    }
    path = ROOT / "docs" / "results" / "batch-statistics.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(found)


@torch.inference_mode()
def difference(model: nn.Module, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of every box alone and in a batch."""
    alone = torch.cat([model(box[None]) for box in x])
    together = torch.cat([model(part) for part in x.split(BATCH)])
    one, other = (
        torch.softmax(logits.double(), dim=1)[:, 1].numpy() for logits in (alone, together)
    )
    return one, other


def with_batch_statistics(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.__class__ = BatchStatisticsNorm3d


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
