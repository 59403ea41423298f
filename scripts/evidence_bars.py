"""Measure what was asked of prototypes that know their part, on held-out phantoms.

    python scripts/evidence_bars.py OUT.json NAME=RUN... --cohorts FOLDER --seed SEED

Every RUN is a bundle, by folder or name; FOLDER holds the cohorts that
``scripts/train_shipped.py`` draws for testing, with healthy twins. Image-blind priors are
measured on the same crops (``evidence_bench.py``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence_bench import TASK, Bench, localized, only, opened, placements, shown, taken

from spinexplain.analysis.explanations.body_cells import mean_features
from spinexplain.config.training import InputSpec
from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.evaluate.explanations.parts import part_at
from spinexplain.evaluate.explanations.prototype_set import distinct_parts, usual_part
from spinexplain.evaluate.explanations.twin import falls, twin_auc
from spinexplain.evaluate.explanations.usefulness import equally_convincing
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.evaluate.prototypes import cosine_matrix, winner_share
from spinexplain.models.build import Network
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import upsample_map
from spinexplain.train.grading.augment import Crops, plain_crops

BATCH = 32


def batches(crops: Crops, spec: InputSpec) -> Iterator[torch.Tensor]:
    """Yield the network's inputs."""
    for k in range(0, len(crops.hu), BATCH):
        yield network_input(crops.hu[k : k + BATCH], crops.centers[k : k + BATCH], spec)


@torch.no_grad()
def answers(model: PrototypeNet, crops: Crops, spec: InputSpec) -> np.ndarray:
    """Return the similarity maps (n, P, *G)."""
    return torch.cat([model.similarity_maps(x) for x in batches(crops, spec)]).numpy()


def heat_of(model: PrototypeNet, cells: np.ndarray, side: int, spec: InputSpec) -> np.ndarray:
    """Upsample maps (n, *G) onto the crops."""
    field = model.trunk.field
    return np.stack([upsample_map(c, (side, side), field, spec.size / side) for c in cells])


def measured(model: PrototypeNet, spec: InputSpec, bench: Bench) -> dict[str, Any]:
    """Measure a prototype network on one preset."""
    owner = model.prototype_class.numpy()
    connections = model.last_layer.weight.detach().numpy()
    grades = bench.grades
    maps, twin_maps = answers(model, bench.crops, spec), answers(model, bench.twin_crops, spec)
    own = owner[None] == grades[:, None]
    weight = np.where(own, connections[grades], 0.0)
    strengths = weight * maps.reshape(*maps.shape[:2], -1).max(axis=2)
    winner = np.where(own, strengths, -np.inf).argmax(axis=1)
    rows = np.arange(len(grades))
    side = bench.evidence.shape[1]
    cells = {"sum": np.einsum("np,npij->nij", weight, maps), "strongest": maps[rows, winner]}
    heats = {name: heat_of(model, c, side, spec) for name, c in cells.items()}
    twin_best = np.where(own, twin_maps.reshape(*maps.shape[:2], -1).max(axis=2), 0).max(axis=1)
    best = np.where(own, maps.reshape(*maps.shape[:2], -1).max(axis=2), 0).max(axis=1)
    plain = plain_similarities(model, bench, spec)
    called_class = (plain @ connections.T).argmax(axis=1)
    seen_moved = (maps.reshape(*maps.shape[:2], -1).max(axis=2) @ connections.T).argmax(axis=1)
    right = seen_moved == grades
    return {
        "fractures": len(grades),
        "grade_right_on_moved_crops": round(float(right.mean()), 4),
        "placement": placements(bench, heats),
        "placement_of_rightly_graded": placements(only(bench, right), taken(heats, right)),
        "evidence": localized(bench, heats),
        "twin": {
            "falls": falls(best, twin_best),
            "auc": twin_auc(best, twin_best),
            "falls_rightly_graded": falls(best[right], twin_best[right]),
            "auc_rightly_graded": twin_auc(best[right], twin_best[right]),
        },
        "winner_share": winner_share(plain, bench.labels, owner).round(3).tolist(),
        "distinct_parts": parts_shown(model, bench, maps, own),
        "further_prototypes": further(strengths, own),
        "convincing_alarms": alarms(plain, called_class, bench, owner),
    }


def alarms(
    plain: np.ndarray, called_class: np.ndarray, bench: Bench, owner: np.ndarray
) -> float | None:
    """Return in which share of false alarms the evidence is as strong as in found fractures."""
    called = np.flatnonzero(called_class > 0)
    strengths = np.where(owner[None] == called_class[:, None], plain, 0).max(axis=1)
    false = called[bench.labels[called] == 0]
    share = equally_convincing(strengths[false], strengths[np.setdiff1d(called, false)])
    return round(share, 3) if np.isfinite(share) else None


@torch.no_grad()
def plain_similarities(model: PrototypeNet, bench: Bench, spec: InputSpec) -> np.ndarray:
    """Return the similarities (n, P) of all sheets, unmoved."""
    found = []
    for k in range(0, len(bench.sheets), BATCH):
        rows = np.arange(k, min(k + BATCH, len(bench.sheets)))
        crops = plain_crops(bench.sheets, rows, spec)
        found.append(model.similarities(network_input(crops.hu, crops.centers, spec)))
    return torch.cat(found).numpy()


def f1_with_interval(called_class: np.ndarray, bench: Bench) -> list[float]:
    """Return class-average F1 with its interval by subject."""
    labels = bench.labels

    def f1(rows: np.ndarray) -> float:
        return class_average_f1(confusion_matrix(labels[rows], called_class[rows], len(TASK)))

    return shown(subject_bootstrap(f1, bench.sheets.subjects, 0))


def parts_shown(
    model: PrototypeNet, bench: Bench, maps: np.ndarray, own: np.ndarray
) -> dict[str, Any]:
    """Return the part every prototype points to most often in fractures of its class."""
    field = model.trunk.field
    best = maps.reshape(*maps.shape[:2], -1).argmax(axis=2)
    grid = maps.shape[2:]
    parts = np.full(best.shape, -2)
    for n, frame in enumerate(bench.frames):
        for p in np.flatnonzero(own[n]):
            cell = np.unravel_index(best[n, p], grid)
            parts[n, p] = part_at(frame, tuple(field.start + field.stride * np.array(cell)))
    usual = [usual_part(column[column > -2]) for column in parts.T]
    owner = model.prototype_class.numpy()
    counts = distinct_parts(np.array([part for part, _ in usual]), owner)
    return {
        "usual": [[part, round(share, 3)] for part, share in usual if np.isfinite(share)],
        "by_class": {TASK[k]: v for k, v in counts.items() if k > 0},
    }


def further(strengths: np.ndarray, own: np.ndarray) -> dict[str, float]:
    """Return how often the second and third own prototype give a quarter of the first."""
    ranked = -np.sort(-np.where(own, strengths, 0.0), axis=1)
    first = np.maximum(ranked[:, 0], 1e-6)
    return {
        name: round(float(np.mean(ranked[:, k] / first >= 0.25)), 3)
        for k, name in ((1, "second"), (2, "third"))
    }


@torch.no_grad()
def called(model: Network, spec: InputSpec, bench: Bench) -> np.ndarray:
    """Return the class (n,) that a network gives to every sheet, unmoved."""
    found = []
    for k in range(0, len(bench.sheets), BATCH):
        rows = np.arange(k, min(k + BATCH, len(bench.sheets)))
        crops = plain_crops(bench.sheets, rows, spec)
        found.append(model(network_input(crops.hu, crops.centers, spec)).argmax(dim=1))
    return torch.cat(found).numpy()


def f1_difference(called_class: np.ndarray, other: np.ndarray, bench: Bench) -> list[float]:
    """Return how far one class-average F1 is above another on the same sheets, by subject."""
    labels = bench.labels

    def difference(rows: np.ndarray) -> float:
        one, two = (
            class_average_f1(confusion_matrix(labels[rows], calls[rows], len(TASK)))
            for calls in (called_class, other)
        )
        return one - two

    return shown(subject_bootstrap(difference, bench.sheets.subjects, 0))


def cosines(model: PrototypeNet, spec: InputSpec, bench: Bench) -> dict[str, Any]:
    """Return the largest and mean same-class cosine after projection, raw and around means.

    Around the prototypes' own mean cosines are low for any set of three that differ at all;
    around the mean of all cells they are high for any set that lies on bone. The mean of the
    cells in bodies, which hangs on no prototype, is between.
    """
    vectors, owner = model.prototypes.detach().numpy(), model.prototype_class.numpy()
    first, second = np.triu_indices(len(owner), 1)
    same = owner[first] == owner[second]
    means = mean_features(features(model, spec, bench))
    around = {f"around_{name}": mean for name, mean in means.items()}
    centers = {"raw": None, "centered": vectors.mean(axis=0), **around}
    found = {}
    for name, center in centers.items():
        values = cosine_matrix(vectors, center)[first[same], second[same]]
        whose = owner[first[same]]
        found[name] = {
            "mean": round(float(values.mean()), 3),
            "largest": {TASK[c]: round(float(values[whose == c].max()), 3) for c in set(whose)},
        }
    return found


@torch.no_grad()
def features(
    model: PrototypeNet, spec: InputSpec, bench: Bench
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the features of all sheets, unmoved, with the masks of their bodies."""
    for k in range(0, len(bench.sheets), BATCH):
        rows = np.arange(k, min(k + BATCH, len(bench.sheets)))
        crops = plain_crops(bench.sheets, rows, spec)
        assert crops.target is not None
        yield model.latent(network_input(crops.hu, crops.centers, spec)), crops.target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", help="NAME=BUNDLE")
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--presets", default="placement,balanced,hard")
    parser.add_argument("--seed", type=int, default=990, help="of the cohorts")
    parser.add_argument("--grades-only", action="store_true", help="no maps, F1 alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    named = dict(run.split("=", 1) for run in options.runs)
    graders = {name: load_grader(run, runtime="torch") for name, run in named.items()}
    found: dict[str, Any] = {name: {} for name in graders}
    for preset in options.presets.split(","):
        folder = next(options.cohorts.glob(f"{preset}-{options.seed}-*"))
        bench = opened(folder, next(iter(graders.values())).spec)
        calls: dict[str, np.ndarray] = {}
        for name, grader in graders.items():
            model = grader.model
            if isinstance(model, PrototypeNet) and not options.grades_only:
                if "cosine" not in found[name]:
                    found[name]["cosine"] = cosines(model, grader.spec, bench)
                found[name][bench.name] = measured(model, grader.spec, bench)
            else:
                found[name][bench.name] = {}
            calls[name] = called(model, grader.spec, bench)
            found[name][bench.name]["f1"] = f1_with_interval(calls[name], bench)
            print(name, bench.name, flush=True)
        for name, other in permutations(calls, 2):
            minus = found[name][bench.name].setdefault("f1_minus", {})
            minus[other] = f1_difference(calls[name], calls[other], bench)
        options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
