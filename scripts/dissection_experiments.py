"""Does dissection find what a network uses? Experiments on phantoms, where that is known.

``python scripts/dissection_experiments.py --work WORK`` draws the sheets it needs (or takes up
those that are there), writes ``docs/dissection.json``, and ``docs/dissection.md`` from it.
``--page`` writes the page alone. About three CPU minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from spinexplain.config import HeadSettings, InputSpec, TrainConfig, TrunkSettings
from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.sheets import sheet_shard
from spinexplain.explainers.dissection.dissect import Dissected, DissectionPlan, dissect
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc
from spinexplain.explainers.dissection.thresholds import TailFilter
from spinexplain.models.checkpoint import load_grader
from spinexplain.models.grader import Grader
from spinexplain.models.unet3d import BatchStatisticsNorm3d
from spinexplain.train.recipes import train_model
from spinexplain.train.source import set_from_cohort
from spinexplain.types import ModelInfo

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS, PAGE = DOCS / "dissection.json", DOCS / "dissection.md"
TOP, RANDOM_NETWORKS, DRAWS = 10, 3, 2000
SHARD = 200


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="Where sheets and models are kept.")
    parser.add_argument("--only", nargs="*", default=["overlap", "quantile", "shortcut", "batch"])
    parser.add_argument("--page", action="store_true", help="Write the page from stored results.")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    if not options.page:
        for name in options.only:
            found[name] = EXPERIMENTS[name](options.work)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n")
            print(name, json.dumps(found[name])[:600], flush=True)
    from dissection_page import page_of

    PAGE.write_text(page_of(found))


def drawn(work: Path, preset: str, seed: int, count: int) -> Cohort:
    """Draw phantom sheets into a cohort, or take up the one that is there."""
    path = work / f"{preset}-{seed}-{count}"
    if (path / "index.parquet").is_file():
        return Cohort.open(path)
    writer = CohortWriter.create(path, {"preset": preset, "seed": seed}, force=True)
    for start in range(0, count, SHARD):
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", series) is None:
            sheets = phantom_sheets(preset, seed, min(SHARD, count - start), start=start)
            writer.add_series(sheet_shard(series, sheets, seed=seed))
    return writer.finish()


def overlap_experiment(work: Path) -> dict[str, Any]:
    """Trained against random weights, and our ranking against eq. 1, on true evidence."""
    cohort = drawn(work, "hard", 980, 400)
    grader = load_grader("protoverse-phantom", runtime="torch")
    trained = dissect(grader, cohort, DissectionPlan(pictures=1, collage=1))
    random = []
    for seed in range(RANDOM_NETWORKS):
        other = with_random_weights(grader, trained.samples, seed)
        random.append(dissect(other, cohort, DissectionPlan(pictures=1, collage=1)))
    d = trained.dissection
    ours, theirs = d.top(TOP), top_by_eq1(d)
    untrained = np.concatenate([evidence(one.dissection) for one in random])
    return {
        "cohort": "hard-980-400",
        "model": d.model.name,
        "facts": {key: d.facts[key] for key in ("samples", "positives", "negatives")},
        "units": d.units,
        "trained": spread(evidence(d)),
        "random": spread(untrained),
        "random_networks": RANDOM_NETWORKS,
        "effect": effect(evidence(d), untrained),
        "top_trained": spread(evidence(d)[ours]),
        "top_random": spread(
            np.concatenate([evidence(o.dissection)[o.dissection.top(TOP)] for o in random])
        ),
        "top_effect": effect(
            evidence(d)[ours],
            np.concatenate([evidence(o.dissection)[o.dissection.top(TOP)] for o in random]),
        ),
        "ours": spread(evidence(d)[ours]),
        "eq1": spread(evidence(d)[theirs]),
        "shared": len(set(ours) & set(theirs)),
        "difference": top_difference(trained),
        "tied": int(((d.statistics.q < 0.05) & (d.statistics.contrast > 0)).sum()),
        "tied_random": [
            int(((o.dissection.statistics.q < 0.05) & (o.dissection.statistics.contrast > 0)).sum())
            for o in random
        ],
        "clusters_of_top": len({int(d.clusters[unit]) for unit in ours}),
    }


def quantile_experiment(work: Path) -> dict[str, Any]:
    """What the level of the threshold, and counting positives only, do to the ranking."""
    cohort = drawn(work, "hard", 980, 400)
    grader = load_grader("protoverse-phantom", runtime="torch")
    rows = {}
    for quantile in (0.99, 0.995):
        rows[quantile] = dissect(
            grader, cohort, DissectionPlan(quantile=quantile, pictures=1, collage=1)
        ).dissection
    low, high = rows[0.99], rows[0.995]
    return {
        "rows": [
            {
                "quantile": quantile,
                "c_positive": float(np.median(d.statistics.c_positive)),
                "c_negative": float(np.median(d.statistics.c_negative)),
                "saturated": float((d.statistics.c_positive > 0.9).mean()),
                "eq1_evidence": float(evidence(d)[top_by_eq1(d)].mean()),
                "ours_evidence": float(evidence(d)[d.top(TOP)].mean()),
                "eq1_rank_against_contrast": float(
                    spearmanr(d.statistics.c_positive, d.statistics.contrast).statistic
                ),
            }
            for quantile, d in rows.items()
        ],
        "same_in_top_ours": len(set(low.top(TOP)) & set(high.top(TOP))),
        "same_in_top_eq1": len(set(top_by_eq1(low)) & set(top_by_eq1(high))),
    }


def shortcut_experiment(work: Path) -> dict[str, Any]:
    """A network that may use a planted mark: does its accuracy tell, does its dissection?"""
    found = {}
    tests = {name: drawn(work, name, 62, 200) for name in ("shortcut", "balanced")}
    for name in ("shortcut", "balanced"):
        cohort = drawn(work, name, 61, 800)
        grader = trained_classifier(cohort, work / f"classifier-{name}")
        d = dissect(grader, tests["shortcut"], DissectionPlan(pictures=1, collage=1)).dissection
        shares = d.overlap.of("shortcut", "inside")
        lift = d.overlap.of("shortcut", "lift")
        top = d.top(TOP)
        found[name] = {
            "auc": {test: detection(grader, tests[test]) for test in tests},
            "marked_in_top": int((lift[top] >= 6).sum()),
            "best_lift_in_top": float(lift[top].max()),
            "share_in_top": float(shares[top].mean()),
            "first_rank": first_rank(d, lift),
            "units": d.units,
        }
    return found


def batch_experiment(work: Path) -> dict[str, Any]:
    """What normalizing by the batch, as released, does to thresholds."""
    del work
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    level = torch.rand(20, 1, 1, 1, 1, generator=generator)
    inputs = level + 0.2 * torch.randn(20, 1, 16, 16, 16, generator=generator)
    net = nn.Sequential(
        nn.Conv3d(1, 64, 3, padding=1),
        BatchStatisticsNorm3d(64),
        nn.ReLU(),
        nn.Conv3d(64, 64, 3, padding=1, stride=2),
        BatchStatisticsNorm3d(64),
        nn.ReLU(),
    ).eval()
    thresholds = {}
    with torch.inference_mode():
        for size in (1, 10):
            stream = TailFilter(20 * 8**3, 0.995)
            for start in range(0, 20, size):
                stream.add(net(inputs[start : start + size]))
            thresholds[size] = stream.finish().thresholds
        alone = torch.cat([net(inputs[i : i + 1]) for i in range(20)]).flatten(2).amax(2).numpy()
        beside = torch.cat([net(inputs[i : i + 10]) for i in (0, 10)]).flatten(2).amax(2).numpy()
    enabled = [alone > thresholds[10], beside > thresholds[10]]
    change = np.abs(thresholds[1] - thresholds[10]) / thresholds[10]
    return {
        "units": 64,
        "threshold_change": spread(change),
        "decisions_changed": float((enabled[0] != enabled[1]).mean()),
    }


def evidence(d: Dissection) -> np.ndarray:
    """IoU of each ranked unit with the true evidence."""
    return np.where(d.statistics.rank > 0, d.overlap.of("evidence"), 0.0)


def top_by_eq1(d: Dissection) -> list[int]:
    """Return the first units by eq. 1 as printed."""
    rank = d.statistics.rank_eq1
    return [int(unit) for unit in np.argsort(np.where(rank > 0, rank, 10**9))[:TOP]]


def with_random_weights(grader: Grader, samples: Samples, seed: int) -> Grader:
    """Return the same architecture untrained, its normalization set by the same vertebrae."""
    import copy

    model = copy.deepcopy(grader.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # a plain average over the batches below
    model.train()
    with torch.no_grad():
        for inputs in samples.batches(64):
            model(inputs)
    info = ModelInfo(f"random-{seed}", "0", "", grader.classes, "nothing")
    return dataclasses.replace(grader, model=model.eval(), info=info)


def trained_classifier(cohort: Cohort, folder: Path) -> Grader:
    """Train a small classifier of G0, G2 and G3 for 400 steps."""
    spec = InputSpec(size=56, channels=("ct",), windows_hu={"ct": (-500.0, 1300.0)})
    config = TrainConfig(
        name="shortcut-probe",
        input=spec,
        trunk=TrunkSettings(
            name="conv", weights="none", blocks=3, widths=(16, 32, 64), max_stride=4
        ),
        head=HeadSettings(kind="linear"),
        classifier={"steps": 400, "batch": 24, "trunk_lr": 3e-3},
    )
    trained = train_model(config, set_from_cohort(cohort), folder, resume=folder.exists())
    info = ModelInfo(folder.name, "0", "", config.classes, cohort.path.name)
    return Grader(trained.model.eval(), spec, config.classes, info)


def detection(grader: Grader, cohort: Cohort) -> float:
    """Return the area under the curve of fractured (G2, G3) against healthy vertebrae."""
    samples = select_samples(cohort, grader.spec, grader.classes)
    with torch.inference_mode():
        logits = torch.cat([grader.model(inputs) for inputs in samples.batches(32)])
    score = 1 - torch.softmax(logits, dim=1)[:, :1].numpy()
    return float(auc(score, samples.positive)[0])


def first_rank(d: Dissection, lift: np.ndarray) -> int | None:
    """Return the best rank of a unit that lies on the mark six times as much as chance."""
    on_mark = d.statistics.rank[(lift >= 6) & (d.statistics.rank > 0)]
    return int(on_mark.min()) if len(on_mark) else None


def spread(values: np.ndarray) -> dict[str, float]:
    """Return mean, median and quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {
        "mean": float(values.mean()),
        "median": float(middle),
        "low": float(low),
        "high": float(high),
    }


def effect(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return Cliff's delta of two groups of units, with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)

    def delta(a: np.ndarray, b: np.ndarray) -> float:
        order = np.sort(b)
        below = np.searchsorted(order, a, side="left").sum()
        above = (len(b) - np.searchsorted(order, a, side="right")).sum()
        return float((below - above) / (len(a) * len(b)))

    draws = [delta(rng.choice(one, len(one)), rng.choice(other, len(other))) for _ in range(DRAWS)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"delta": delta(one, other), "low": float(low), "high": float(high)}


def top_difference(done: Dissected) -> dict[str, float]:
    """Return how much more evidence our first units hold than those of eq. 1, over subjects.

    Subjects are resampled, units ranked anew in each draw, overlap kept.
    """
    d, peaks = done.dissection, done.activity.peaks
    enabled, positive = peaks > d.thresholds, done.samples.positive
    overlap = evidence(d)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        rows = rng.integers(len(positive), size=len(positive))
        hit, sick = enabled[rows], positive[rows]
        share = hit[sick].mean(axis=0)
        contrast = share - hit[~sick].mean(axis=0)
        first = [np.argsort(-values, kind="stable")[:TOP] for values in (contrast, share)]
        draws.append(overlap[first[0]].mean() - overlap[first[1]].mean())
    low, high = np.percentile(draws, [2.5, 97.5])
    mean = overlap[d.top(TOP)].mean() - overlap[top_by_eq1(d)].mean()
    return {"mean": float(mean), "low": float(low), "high": float(high)}


EXPERIMENTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "overlap": overlap_experiment,
    "quantile": quantile_experiment,
    "batch": batch_experiment,
    "shortcut": shortcut_experiment,
}

if __name__ == "__main__":
    main()
