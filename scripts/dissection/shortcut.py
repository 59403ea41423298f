"""A planted shortcut: does accuracy tell of it, does dissection?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from dissection.cohorts import sheets
from dissection.evidence import TOP
from dissection.networks import tuned_classifier
from spinexplain.data.cohort import Cohort
from spinexplain.explainers.dissection.dissect import DissectionPlan, dissect
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.models.checkpoint import load_grader
from spinexplain.models.grader import Grader

START = "protoverse-phantom"
ON_THE_MARK = 6.0  # times chance
TRAINING_SEED, TEST_SEED, TRAINING, TEST = 61, 62, 800, 200


def shortcut_experiment(work: Path) -> dict[str, Any]:
    """Train one network on marked sheets, one on unmarked ones; test and dissect both."""
    start = load_grader(START, runtime="torch")
    tests = {name: sheets(work, name, TEST_SEED, TEST) for name in ("shortcut", "balanced")}
    found = {}
    for name in ("shortcut", "balanced"):
        cohort = sheets(work, name, TRAINING_SEED, TRAINING)
        data = select_samples(cohort, start.spec, start.classes)
        grader = tuned_classifier(start, data, work / f"tuned-{name}.safetensors")
        d = dissect(grader, tests["shortcut"], DissectionPlan(pictures=1, collage=1)).dissection
        lift = d.overlap.of("shortcut", "lift")
        top = d.top(TOP)
        found[name] = {
            "auc": {test: detection(grader, tests[test]) for test in tests},
            "marked_in_top": int((lift[top] >= ON_THE_MARK).sum()),
            "best_lift_in_top": float(lift[top].max()),
            "first_rank": first_rank(d, lift),
            "units": d.units,
            "by_rank": [round(float(lift[unit]), 2) for unit in d.top(d.units)],
        }
    return found


def detection(grader: Grader, cohort: Cohort) -> float:
    """Return the area under the curve of fractured (G2, G3) against healthy vertebrae."""
    samples = select_samples(cohort, grader.spec, grader.classes)
    with torch.inference_mode():
        logits = torch.cat([grader.model(inputs) for inputs in samples.batches(32)])
    score = 1 - torch.softmax(logits, dim=1)[:, :1].numpy()
    return float(auc(score, samples.positive)[0])


def first_rank(d: Dissection, lift: np.ndarray) -> int | None:
    """Return the best rank of a unit that lies on the mark."""
    on_mark = d.statistics.rank[(lift >= ON_THE_MARK) & (d.statistics.rank > 0)]
    return int(on_mark.min()) if len(on_mark) else None
