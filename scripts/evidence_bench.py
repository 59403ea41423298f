"""The held-out phantoms of ``evidence_bars.py``: moved crops, priors, and where a map points.

Crops move by up to 16 mm, so that the middle is no answer; a twin moves as its fracture does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
from spinexplain.train.grading.augment import Crops, augmented_crops, plain_crops

SHIFT_MM = 16.0
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
