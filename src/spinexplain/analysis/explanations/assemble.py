"""From stored pieces to one table: every explainer on every model, the priors beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.analysis.explanations.bench import Bench
from spinexplain.analysis.explanations.chunk import read_chunks
from spinexplain.analysis.explanations.figures import (
    Scoring,
    explainer_figures,
    interval_json,
    map_figures,
    mean_of,
)
from spinexplain.analysis.explanations.opponents import opponents_of
from spinexplain.config.tasks import Task
from spinexplain.evaluate.bootstrap import weighted_bootstrap
from spinexplain.evaluate.explanations.localization import top_share
from spinexplain.evaluate.explanations.parts import PARTS
from spinexplain.evaluate.explanations.placement import (
    chosen_parts,
    placement,
    region_strengths,
)

SCHEMA = "spinexplain/explanation-scores/1"


@dataclass(frozen=True, eq=False)
class Panel:
    """One vertebra of the page: the crop, the map, and how well it did.

    Parameters
    ----------
    title : str
        ``"best"``, ``"median"`` or ``"worst"``.
    hu : ndarray, shape (*S)
    heatmap, evidence : ndarray, shape (*R)
    name, grade : str
    share : float
        Top 2 % on the evidence.
    """

    title: str
    hu: np.ndarray
    heatmap: np.ndarray
    evidence: np.ndarray
    name: str
    grade: str
    share: float


def scoring_of(bench: Bench, seed: int, draws: int) -> Scoring:
    """Prepare what all explainers of a bench are scored with."""
    regions = {question: bench.regions(question) for question in list(PARTS)[: bench.axes]}
    return Scoring(bench, regions, opponents_of(bench, regions, seed), seed, draws)


def prior_rows(scoring: Scoring) -> list[dict[str, Any]]:
    """Return the figures of every image-blind map, with intervals."""
    rows = scoring.opponents.rows
    whose = scoring.bench.subjects[rows]
    found = []
    for name in scoring.opponents.example:
        values = {
            metric: interval_json(
                weighted_bootstrap(mean_of(by_prior[name]), whose, scoring.seed, scoring.draws)
            )
            for metric, by_prior in scoring.opponents.figures.items()
        }
        places = {
            question: by_prior[name] if np.isfinite(by_prior[name]) else None
            for question, by_prior in scoring.opponents.placements.items()
        }
        found.append({"prior": name, "localization": values, "placement": places})
    return found


def explainer_row(
    scoring: Scoring, folder: Path, model: str, explainer: str, task: Task
) -> tuple[dict[str, Any], list[Panel]]:
    """Score the stored pieces of one explainer on one model, and pick its panels."""
    chunk = read_chunks(sorted(folder.glob("maps-*.npz")))
    row = {"model": model, "explainer": explainer, **explainer_figures(scoring, chunk, task)}
    random = folder / "random.json"
    row["randomized"] = json.loads(random.read_text("utf-8")) if random.is_file() else None
    return row, panels_of(scoring, chunk["maps"])


def foreign_row(
    scoring: Scoring, name: str, maps: np.ndarray
) -> tuple[dict[str, Any], list[Panel]]:
    """Score maps of somebody else, which come without a model."""
    row = {
        "model": "given maps",
        "explainer": name,
        **map_figures(scoring, maps),
        "vertebrae": len(scoring.bench),
        "fractures": int(scoring.bench.fractured.sum()),
    }
    return row, panels_of(scoring, maps)


def panels_of(scoring: Scoring, maps: np.ndarray) -> list[Panel]:
    """Return the best, the median and the worst map by its top 2 % on the evidence."""
    bench, rows = scoring.bench, scoring.opponents.rows
    if not len(rows):
        return []
    shares = top_share(maps[rows], bench.masks["evidence"][rows])
    order = np.argsort(-shares, kind="stable")
    picked = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    return [
        Panel(
            title,
            bench.hu[rows[at]],
            maps[rows[at]],
            bench.masks["evidence"][rows[at]],
            f"{bench.subjects[rows[at]]} {bench.levels[rows[at]]}",
            str(bench.grades[rows[at]]),
            float(shares[at]),
        )
        for title, at in picked.items()
    ]


def bench_facts(scoring: Scoring) -> dict[str, Any]:
    """Return what a reader must know of the vertebrae."""
    bench = scoring.bench
    grades, counts = np.unique(bench.grades, return_counts=True)
    return {
        "axes": bench.axes,
        "vertebrae": len(bench),
        "subjects": len(np.unique(bench.subjects)),
        "grades": dict(zip(grades.tolist(), counts.tolist(), strict=True)),
        "with_evidence": len(scoring.opponents.rows),
        "with_twin": int((bench.twin_of >= 0).sum()),
        "true_parts": {
            question: {
                part: int((truth == index).sum()) for index, part in enumerate(PARTS[question])
            }
            for question, truth in bench.truth.items()
        },
        "ceiling": _ceiling(scoring),
    }


def _ceiling(scoring: Scoring) -> dict[str, float | None]:
    """Return the placement of the evidence masks themselves: the best that maps can do."""
    if "evidence" not in scoring.bench.masks:
        return {}
    masks = scoring.bench.masks["evidence"].astype(np.float32)
    found = {
        question: placement(
            chosen_parts(region_strengths(masks, regions)), scoring.bench.truth[question]
        )
        for question, regions in scoring.regions.items()
    }
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def reliability_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a report says of an explainer's evidence; None where it was not measured.

    Returns
    -------
    dict or None
        ``endplate`` (share of fractures in which the right endplate was chosen, both
        counting the same, its interval and the number of fractures) and, where there were
        false alarms, the share that looked as convincing as the median fracture.
    """
    endplate = row.get("placement", {}).get("endplate")
    if endplate is None:
        return None
    useful = row.get("usefulness") or {}
    return {
        "explainer": row["explainer"],
        "endplate": {key: endplate[key] for key in ("value", "low", "high")},
        "fractures": int(sum(endplate["counts"])),
        "equally_convincing": useful.get("equally_convincing"),
        "false_alarms": useful.get("false_alarms", 0),
    }
