"""A planted shortcut: whether accuracy shows it, and whether dissection does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from spinexplain.config.tasks import TASKS
from spinexplain.explainers.dissection.activity import Activity, layer_activity
from spinexplain.explainers.dissection.grid import cell_grid
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc, ranks
from spinexplain.models.grader import Grader
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import ReceptiveField
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.dissection.evidence import TOP, Units, compared
from spinexplain.reproduce.dissection.networks import SHEETS, scratch_classifier
from spinexplain.reproduce.dissection.sizes import COUNT, LEARNING, SHEETS_SEED
from spinexplain.reproduce.setting import Setting

ON_THE_MARK = 6.0  # times chance
SILENCED = 0.3  # of the marked fractured vertebrae
SHARE_FRACTURED, SHARE_HEALTHY = 0.9, 0.05  # as the phantom preset "shortcut"
AHEAD_MM, RADIUS_MM, HU = 14.0, (2.0, 3.5), 1100.0


def shortcut_experiment(setting: Setting) -> dict[str, Any]:
    """Train two networks on the same sheets, one with marks; dissect both with marked ones."""
    cohort = drawn_sheets(setting, "balanced", SHEETS_SEED, COUNT)
    work = setting.work / "dissection"
    samples = select_samples(cohort, SHEETS, TASKS["g0-g2-g3"])
    learning = replace(samples, rows=samples.rows[samples.rows < LEARNING])
    unseen = replace(samples, rows=samples.rows[samples.rows >= LEARNING])
    path = work / "scratch-marked.safetensors"
    inputs = None if path.is_file() else marked_inputs(learning, marks_of(learning))
    networks = {
        "marked": scratch_classifier(learning, path, inputs),
        "plain": scratch_classifier(learning, work / f"scratch-{LEARNING}.safetensors"),
    }
    marks = marks_of(unseen)
    tests = {"marked": marked_inputs(unseen, marks), "plain": torch.cat(list(unseen.batches(64)))}
    found = {name: _network(grader, unseen, marks, tests) for name, grader in networks.items()}
    size = {"learned": len(learning), "samples": len(unseen)}
    return size | {"positives": int(unseen.positive.sum()), "networks": found}


def marks_of(samples: Samples) -> np.ndarray:
    """Place a disc in front of most fractured and few healthy vertebrae, bool (N, S, S)."""
    start = (samples.cohort.read("body_2d", samples.rows[:1]).shape[1] - samples.side) // 2
    inner = slice(start, start + samples.side)
    rows, columns = np.mgrid[: samples.side, : samples.side]
    found = np.zeros((len(samples), samples.side, samples.side), bool)
    for sample, row in enumerate(samples.rows):
        rng = np.random.default_rng([7, int(row)])
        share = SHARE_FRACTURED if samples.positive[sample] else SHARE_HEALTHY
        if rng.random() >= share:
            continue
        body = np.argwhere(samples.cohort.read("body_2d", [int(row)])[0][inner, inner] > 0)
        middle = np.median(body[:, 0])
        front = np.percentile(body[:, 1], 2)
        away = np.hypot(rows - middle, columns - (front - AHEAD_MM))
        found[sample] = away <= rng.uniform(*RADIUS_MM)
    return found


def marked_inputs(samples: Samples, marks: np.ndarray) -> Tensor:
    """Paint the marks, blurred as a scanner would, and return the network's input."""
    parts = []
    for which in np.array_split(np.arange(len(samples)), max(len(samples) // 64, 1)):
        hu = samples.crops(which)
        cover = np.stack([gaussian_filter(mark.astype(np.float32), 0.7) for mark in marks[which]])
        painted = torch.from_numpy((hu + cover * np.maximum(HU - hu, 0)).astype(np.float32))
        middle = torch.full((len(which), 2), (samples.side - 1) / 2)
        parts.append(network_input(painted, middle, SHEETS))
    return torch.cat(parts)


def _network(
    grader: Grader, samples: Samples, marks: np.ndarray, tests: dict[str, Tensor]
) -> dict[str, Any]:
    seen = {
        name: layer_activity(grader.model, "trunk", inputs.split(64), len(samples))
        for name, inputs in tests.items()
    }
    return dissected(grader, samples, marks, seen)


def dissected(
    grader: Grader, samples: Samples, marks: np.ndarray, seen: dict[str, Activity]
) -> dict[str, Any]:
    """Say how well a network does with the marks and without, and what its first units do.

    ``seen`` is what its units did on the ``marked`` vertebrae and on the same ones ``plain``;
    units are chosen, and their thresholds set, on the marked ones.
    """
    spec, field = grader.spec, getattr(grader.model.trunk, "field", None)
    assert isinstance(field, ReceptiveField)
    grid = cell_grid(seen["marked"].grid, samples.side, spec.size, field)
    units = compared(seen["marked"], grid, samples, marks)
    peaks = {name: one.peaks for name, one in seen.items()}
    marked = marks.reshape(len(marks), -1).any(axis=1) & samples.positive
    return {
        "auc": {name: detection(one.logits, samples) for name, one in seen.items()},
        "field_mm": field.size * spec.extent_mm / spec.size,
    } | exposure(units, peaks, seen["marked"].tails.thresholds, marked)


def exposure(
    units: Units, peaks: dict[str, np.ndarray], thresholds: np.ndarray, marked: np.ndarray
) -> dict[str, Any]:
    """Count the first units by contrast that lie on the mark, and that fall silent without it.

    ``marked`` says which vertebrae are fractured and have a mark; ``peaks`` holds the highest
    activation of every unit in every vertebra, ``marked`` and ``plain``.
    """
    positive, negative = units.shares()
    rank = ranks(np.round(positive - negative, 9), units.ranked)
    order = np.argsort(np.where(rank > 0, rank, len(rank) + 1))[: int(units.ranked.sum())]
    lift = units.share() / units.chance
    # The same vertebrae, the same thresholds, with their marks and without.
    shares = [(peaks[name][marked] > thresholds).mean(axis=0) for name in ("marked", "plain")]
    top, drop = order[:TOP], shares[0] - shares[1]
    return {
        "units": len(rank),
        "on_mark": int((lift[top] >= ON_THE_MARK).sum()),
        "lift": float(np.median(lift[top])),
        "silenced": int((drop[top] >= SILENCED).sum()),
        "enabled": [float(share[top].mean()) for share in shares],
        "by_rank": [[round(float(share[unit]), 3) for unit in order] for share in shares],
    }


def detection(logits: np.ndarray, samples: Samples) -> float:
    """Return the area under the curve of fractured (G2, G3) against healthy vertebrae."""
    healthy = torch.softmax(torch.from_numpy(logits), dim=1)[:, :1].numpy()
    return float(auc(1 - healthy, samples.positive)[0])
