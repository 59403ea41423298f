"""Measure what was asked of prototypes that know their part, on held-out phantoms.

    python scripts/evidence_bars.py OUT.json NAME=RUN... --cohorts FOLDER --seed SEED

Every RUN is a bundle, by folder or name; FOLDER holds the cohorts that
``scripts/train_shipped.py`` draws for testing, with healthy twins. Image-blind priors are
measured on the same crops. Crops move by up to 16 mm, so that the middle is no answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from spinexplain.config.training import AugmentSettings, InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.evaluate.bootstrap import Interval, subject_bootstrap
from spinexplain.evaluate.explanations.localization import top_share
from spinexplain.evaluate.explanations.parts import (
    PARTS,
    BodyFrame,
    body_frame,
    part_at,
    part_regions,
)
from spinexplain.evaluate.explanations.placement import (
    chosen_parts,
    placement,
    region_strengths,
    true_parts,
)
from spinexplain.evaluate.explanations.priors import (
    centroid_frames,
    gaussian_prior,
    mean_evidence_priors,
)
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
from spinexplain.train.grading.augment import Crops, augmented_crops, plain_crops

SHIFT_MM, BATCH = 16.0, 32
AT_LEAST = {"endplate": 0.7, "third": 0.4}  # of the displacement, to ask about a fracture
TASK = ("G0", "G2", "G3")


@dataclass(frozen=True, eq=False)
class Bench:
    """One preset: all sheets, and its fractures with their twins on the same moved crops."""

    name: str
    sheets: TrainingSet
    labels: np.ndarray
    fractures: TrainingSet
    twins: TrainingSet
    crops: Crops
    twin_crops: Crops
    frames: list[BodyFrame]
    priors: dict[str, np.ndarray]

    @property
    def grades(self) -> np.ndarray:
        """Class index of every fracture."""
        return class_labels(self.fractures, TASK)

    @property
    def evidence(self) -> np.ndarray:
        """True evidence of every fracture, bool, on the moved crops."""
        assert self.crops.evidence is not None
        return self.crops.evidence.numpy() > 0

    @property
    def body(self) -> np.ndarray:
        """Body of every fracture, bool, on the moved crops."""
        assert self.crops.target is not None
        return self.crops.target.numpy() > 0


def opened(folder: Path, spec: InputSpec) -> Bench:
    """Read a cohort with twins and move its crops."""
    both = set_from_cohort(Cohort.open(folder), with_twins=True)
    twin = both.twins if both.twins is not None else np.zeros(len(both), bool)
    rows = np.flatnonzero(~twin & (class_labels(both, TASK) >= 0))
    sheets = both.take(rows)
    where = {name: row for row, name in enumerate(both.subjects) if twin[row]}
    fractured = np.flatnonzero(class_labels(sheets, TASK) > 0)
    fractured = np.array([k for k in fractured if seen(sheets, k, spec)])
    fractures = sheets.take(fractured)
    twins = both.take(np.array([where[name] for name in fractures.subjects]))
    crops, twin_crops = moved(fractures, spec), moved(twins, spec)
    frames = [body_frame(mask.numpy() > 0) for mask in crops.target]  # type: ignore[union-attr]
    priors = blind(crops, frames, fractures.subjects)
    return Bench(
        name=Path(folder).name.removesuffix("-twins").rsplit("-", 2)[0],
        sheets=sheets,
        labels=class_labels(sheets, TASK),
        fractures=fractures,
        twins=twins,
        crops=crops,
        twin_crops=twin_crops,
        frames=frames,
        priors=priors,
    )


def seen(data: TrainingSet, row: int, spec: InputSpec) -> bool:
    """Whether body and evidence of a fracture lie in the field of view."""
    crops = plain_crops(data, np.array([row]), spec)
    return bool((crops.target > 0).sum() > 100 and (crops.evidence > 0).sum() > 10)  # type: ignore[operator]


def moved(data: TrainingSet, spec: InputSpec) -> Crops:
    """Cut all crops, moved by the row's own draw: twins get the draw of their fracture."""
    still = dict.fromkeys(AugmentSettings.model_fields, 0.0)
    settings = AugmentSettings(**still | {"shift_mm": SHIFT_MM})
    return augmented_crops(data, np.arange(len(data)), spec, settings, seed=7, epoch=0)


def blind(crops: Crops, frames: list[BodyFrame], subjects: np.ndarray) -> dict[str, np.ndarray]:
    """Lay maps that never saw the image on every fracture."""
    assert crops.evidence is not None
    evidence, centers = crops.evidence.numpy() > 0, crops.centers.numpy()
    shape = evidence.shape[1:]
    laid = {
        "centroid": centroid_frames(centers, frames, scaled=False),
        "scaled": centroid_frames(centers, frames, scaled=True),
        "frame": frames,
    }
    priors = {name: mean_evidence_priors(evidence, f, subjects) for name, f in laid.items()}
    return {"gaussian": np.stack([gaussian_prior(c, shape, 10.0) for c in centers]), **priors}


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


def shown(interval: Interval) -> list[float]:
    """Return value, lower and upper bound for JSON."""
    return [round(float(x), 4) for x in (interval.value, interval.low, interval.high)]


def mean_with_interval(values: np.ndarray, subjects: np.ndarray) -> list[float]:
    """Return a mean and its 95 % interval by subject."""
    return shown(subject_bootstrap(lambda rows: float(values[rows].mean()), subjects, 0))


def thirds_mm(moved_mm: np.ndarray) -> np.ndarray:
    """Return the displacement of both endplates in the anterior, middle and posterior third."""
    both = moved_mm[:, :6] + moved_mm[:, 6:]
    return np.stack([both[:, 4:].sum(1), both[:, 2:4].sum(1), both[:, :2].sum(1)], axis=1)


def asked_parts(bench: Bench, question: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the true part (-1: not asked) and the regions (n, K, *S) of every fracture."""
    displacement = bench.fractures.displacement_mm
    assert displacement is not None
    plates = np.stack([displacement[:, :6].sum(1), displacement[:, 6:].sum(1)], axis=1)
    shares = plates if question == "endplate" else thirds_mm(displacement)
    shape = bench.evidence.shape[1:]
    regions = np.stack([part_regions(frame, shape, question) for frame in bench.frames])
    return true_parts(shares, AT_LEAST[question]), regions


def topped(heat: np.ndarray) -> np.ndarray:
    """Keep the highest 2 % of every map, as 1."""
    flat = heat.reshape(len(heat), -1)
    edge = np.quantile(flat, 0.98, axis=1)
    return (flat >= edge[:, None]).astype(float).reshape(heat.shape)


def placements(bench: Bench, heats: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return endplate and third by the mean of each map, and by where its top 2 % lies."""
    found: dict[str, Any] = {}
    for question in AT_LEAST:
        truth, regions = asked_parts(bench, question)
        asked = truth >= 0
        counts = np.bincount(truth[asked], minlength=len(PARTS[question])).tolist()
        found[question] = {"asked": dict(zip(PARTS[question], counts, strict=True))}
        if min(counts) == 0:
            continue
        whose = bench.fractures.subjects[asked]
        for name, heat in heats.items():
            for kind, maps in (("mean", heat), ("top", topped(heat))):
                strengths = region_strengths(maps, regions)
                if kind == "top":
                    strengths = (maps[:, None] * regions).sum(axis=(2, 3))
                choices = chosen_parts(strengths[asked])
                figure = subject_bootstrap(
                    lambda rows, c=choices, t=truth[asked]: placement(c[rows], t[rows]), whose, 0
                )
                found[question][f"{name} ({kind})"] = shown(figure)
    return found


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


def only(bench: Bench, rows: np.ndarray) -> Bench:
    """Return a bench with some of its fractures."""
    crops = Crops(
        bench.crops.hu[rows],
        bench.crops.centers[rows],
        bench.crops.target[rows],  # type: ignore[index]
        bench.crops.evidence[rows],  # type: ignore[index]
    )
    return Bench(
        bench.name,
        bench.sheets,
        bench.labels,
        bench.fractures.take(rows),
        bench.twins.take(rows),
        crops,
        bench.twin_crops,
        [frame for frame, keep in zip(bench.frames, rows, strict=True) if keep],
        taken(bench.priors, rows),
    )


def taken(maps: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return some rows of every array."""
    return {name: array[rows] for name, array in maps.items()}


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


def localized(bench: Bench, heats: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the top 2 % on the evidence and in the body, beside image-blind priors."""
    subjects, evidence = bench.fractures.subjects, bench.evidence
    shares = {name: top_share(heat, evidence) for name, heat in heats.items()}
    blind_shares = {name: top_share(heat, evidence) for name, heat in bench.priors.items()}
    found: dict[str, Any] = {
        name: {
            "on_evidence": mean_with_interval(share, subjects),
            "in_body": mean_with_interval(top_share(heats[name], bench.body), subjects),
            "in_body_or_lost_height": mean_with_interval(
                top_share(heats[name], bench.body | evidence), subjects
            ),
            "minus": {
                prior: mean_with_interval(share - other, subjects)
                for prior, other in blind_shares.items()
            },
        }
        for name, share in shares.items()
    }
    found["priors"] = {n: mean_with_interval(s, subjects) for n, s in blind_shares.items()}
    return found


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
    centers = {"raw": None, "centered": vectors.mean(axis=0), **latent_means(model, spec, bench)}
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
def latent_means(model: PrototypeNet, spec: InputSpec, bench: Bench) -> dict[str, np.ndarray]:
    """Return the mean feature of all cells, and of those more than half in the body."""
    total, inside = np.zeros((2, model.prototypes.shape[1])), np.zeros(2)
    for k in range(0, len(bench.sheets), BATCH):
        rows = np.arange(k, min(k + BATCH, len(bench.sheets)))
        crops = plain_crops(bench.sheets, rows, spec)
        latent = model.latent(network_input(crops.hu, crops.centers, spec))
        assert crops.target is not None
        covered = F.adaptive_avg_pool2d(crops.target[:, None], latent.shape[2:])[:, 0].numpy() > 0.5
        cells = latent.permute(0, 2, 3, 1).numpy()
        for row, chosen in enumerate((np.ones_like(covered), covered)):
            total[row] += cells[chosen].sum(axis=0, dtype=np.float64)
            inside[row] += chosen.sum()
    every, body = total / inside[:, None]
    return {"around_all_cells": every, "around_body_cells": body}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", help="NAME=BUNDLE")
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--presets", default="placement,balanced,hard")
    parser.add_argument("--seed", type=int, default=990, help="of the cohorts")
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
            if isinstance(model, PrototypeNet):
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
