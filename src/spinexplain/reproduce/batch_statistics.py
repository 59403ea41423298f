"""What normalizing by the batch's own statistics does to the shipped detector's grades."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.inputs import network_input
from spinexplain.models.trunks.unet3d import with_batch_statistics
from spinexplain.reproduce.cohorts import drawn_boxes
from spinexplain.reproduce.setting import Setting
from spinexplain.train.grading.augment import plain_crops

RESULTS, MODEL = "batch-statistics.json", "detector-phantom"
COHORTS = (("hospital-like", 991, 22), ("hard", 992, 21))
"""Preset, seed and scans: held-out ones of the shipped detector."""
BATCH = 10  # in which the released code collects its quantiles
VERTEBRAE = 30  # of each cohort


def measure(setting: Setting) -> None:
    """Grade vertebrae once alone and once in batches, and store how much that changes."""
    torch.set_num_threads(1)
    grader = load_grader(MODEL, runtime="torch")
    parts = [inputs_of(drawn_boxes(setting, *which), grader.spec) for which in COHORTS]
    x = torch.cat(parts)
    found = {"presets": [preset for preset, *_ in COHORTS]}
    setting.store(RESULTS, found | compared(grader.model, x[: len(x) // BATCH * BATCH]))


def inputs_of(cohort: Cohort, spec: InputSpec) -> torch.Tensor:
    """Return the network's inputs of some vertebrae of a cohort, (n, C, size, size, size)."""
    data, inputs = set_from_cohort(cohort, axes=3, masks=False), []
    for row in np.random.default_rng(0).permutation(len(data))[:VERTEBRAE]:
        crops = plain_crops(data, np.array([row]), spec)
        inputs.append(network_input(crops.hu, crops.centers, spec))
    return torch.cat(inputs)


def compared(model: nn.Module, x: torch.Tensor) -> dict[str, float]:
    """Return how much scores depend on the batch, with batch and with running statistics."""
    running, batch = both_ways(model, x), both_ways(with_batch_statistics(model), x)
    change = np.abs(batch[0] - batch[1])
    return {
        "vertebrae": len(x),
        "batch": BATCH,
        "changed_share": float(np.mean((batch[0] >= 0.5) != (batch[1] >= 0.5))),
        "median_change": float(np.median(change)),
        "largest_change": float(change.max()),
        "largest_change_running": float(np.abs(running[0] - running[1]).max()),
    }


@torch.inference_mode()
def both_ways(model: nn.Module, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of every box alone and in a batch, (n,) each."""
    alone = torch.cat([model(box[None]) for box in x])
    together = torch.cat([model(part) for part in x.split(BATCH)])
    one, other = (
        torch.softmax(logits.double(), dim=1)[:, 1].numpy() for logits in (alone, together)
    )
    return one, other
