"""A planted shortcut: does accuracy tell of it, does dissection?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from dissection.cohorts import sheets
from dissection.evidence import TOP
from dissection.networks import CLASSES, SHEETS, scratch_classifier
from spinexplain.data.cohort import Cohort
from spinexplain.explainers.dissection.dissect import DissectionPlan, dissect
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.explainers.hooks import capture
from spinexplain.models.grader import Grader
from spinexplain.models.inputs import network_input

ON_THE_MARK = 6.0  # times chance
SILENCED = 0.3  # less often enabled, of marked fractured vertebrae
TRAINING_SEED, TEST_SEED, TRAINING, TEST = 61, 62, 800, 200


def shortcut_experiment(work: Path) -> dict[str, Any]:
    """Train one network on marked sheets, one on unmarked ones; test and dissect both."""
    tests = {name: sheets(work, name, TEST_SEED, TEST) for name in ("shortcut", "balanced")}
    return {name: _network(work, name, tests) for name in tests}


def _network(work: Path, name: str, tests: dict[str, Cohort]) -> dict[str, Any]:
    cohort = sheets(work, name, TRAINING_SEED, TRAINING)
    learning = select_samples(cohort, SHEETS, CLASSES)
    grader = scratch_classifier(learning, work / f"scratch-{name}.safetensors")
    done = dissect(grader, tests["shortcut"], DissectionPlan(pictures=1, collage=1))
    d = done.dissection
    lift = d.overlap.of("shortcut", "lift")
    with_mark, without = enabled_shares(grader, done.samples, d)
    drop = with_mark - without
    order, top = d.top(d.units), d.top(TOP)
    return {
        "auc": {test: detection(grader, tests[test]) for test in tests},
        "units": d.units,
        "silenced_in_top": int((drop[top] >= SILENCED).sum()),
        "marked_in_top": int((lift[top] >= ON_THE_MARK).sum()),
        "enabled_top": [float(with_mark[top].mean()), float(without[top].mean())],
        "field_mm": grader.model.trunk.field.size * grader.spec.extent_mm / grader.spec.size,
        "by_rank": [
            [round(float(share[unit]), 3) for unit in order] for share in (with_mark, without)
        ],
    }


def enabled_shares(
    grader: Grader, samples: Samples, d: Dissection
) -> tuple[np.ndarray, np.ndarray]:
    """Share of marked fractured vertebrae that enable each unit, and with the marks painted out."""
    masks = samples.cohort.read("shortcut_2d", samples.rows, missing=0)
    start = (masks.shape[1] - samples.side) // 2
    masks = masks[:, start : start + samples.side, start : start + samples.side] > 0
    marked = np.flatnonzero(masks.any(axis=(1, 2)) & samples.positive)
    crops = samples.crops(marked)
    painted = np.stack([painted_out(*pair) for pair in zip(crops, masks[marked], strict=True)])
    with_mark, without = (
        (peaks_of(grader, hu) > d.thresholds).mean(axis=0) for hu in (crops, painted)
    )
    return with_mark, without


def painted_out(hu: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """Replace a mark and its blurred rim by the median of what is around it."""
    near = binary_dilation(mark, iterations=3)
    around = binary_dilation(near, iterations=3) & ~near
    return np.where(near, np.median(hu[around]), hu).astype(np.float32)


def peaks_of(grader: Grader, crops: np.ndarray) -> np.ndarray:
    """Return the highest activation of each unit, (N, U)."""
    found = []
    for part in np.array_split(crops, max(len(crops) // 32, 1)):
        middle = torch.full((len(part), 2), (part.shape[1] - 1) / 2)
        inputs = network_input(torch.from_numpy(part), middle, grader.spec)
        with torch.inference_mode(), capture(grader.model, "trunk") as seen:
            grader.model(inputs)
        found.append(seen.activation.flatten(2).amax(dim=2).numpy())
    return np.concatenate(found)


def detection(grader: Grader, cohort: Cohort) -> float:
    """Return the area under the curve of fractured (G2, G3) against healthy vertebrae."""
    samples = select_samples(cohort, grader.spec, grader.classes)
    with torch.inference_mode():
        logits = torch.cat([grader.model(inputs) for inputs in samples.batches(32)])
    score = 1 - torch.softmax(logits, dim=1)[:, :1].numpy()
    return float(auc(score, samples.positive)[0])
