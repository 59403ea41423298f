"""From stored maps to the figures of one explainer on one model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from spinexplain.analysis.explanations.bench import Bench
from spinexplain.analysis.explanations.curves import REFERENCES
from spinexplain.analysis.explanations.opponents import Opponents
from spinexplain.analysis.explanations.targets import fracture_indices, fracture_probability
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task
from spinexplain.evaluate.bootstrap import Interval, weighted_bootstrap
from spinexplain.evaluate.explanations.faithfulness import curve_area
from spinexplain.evaluate.explanations.localization import METRICS, energy_inside, top_share
from spinexplain.evaluate.explanations.placement import (
    chosen_parts,
    exchanged_choices,
    neighbor_placement,
    region_strengths,
)
from spinexplain.evaluate.explanations.skill import Skill, placement_skill, skill
from spinexplain.evaluate.explanations.twin import change_inside, falls, relative_fall, twin_auc
from spinexplain.evaluate.explanations.usefulness import equally_convincing, error_auc

CALLED = 0.5


@dataclass(frozen=True, eq=False)
class Scoring:
    """What all explainers of a bench are scored with.

    Parameters
    ----------
    bench : Bench
    regions : mapping of str to ndarray of bool, shape (n, K, *R)
    opponents : Opponents
    seed : int
    draws : int
        Of the subject bootstrap.
    """

    bench: Bench
    regions: Mapping[str, np.ndarray]
    opponents: Opponents
    seed: int
    draws: int


def map_figures(scoring: Scoring, maps: np.ndarray) -> dict[str, Any]:
    """Score maps alone: placement and localization, with skill.

    Parameters
    ----------
    scoring : Scoring
    maps : ndarray, shape (n, *R)
        Of all vertebrae of the bench.

    Returns
    -------
    dict
        ``placement`` by question, ``localization`` by metric (on the evidence), ``regions``
        (share of energy and of the top 2 % on body, target, neighbors, outside the bone and
        a planted shortcut).
    """
    return {
        "placement": _placements(scoring, maps),
        "localization": _localization(scoring, maps),
        "regions": _regions(scoring, maps),
    }


def explainer_figures(
    scoring: Scoring, chunk: Mapping[str, np.ndarray], task: Task
) -> dict[str, Any]:
    """Score everything that was stored of one explainer on one model.

    Parameters
    ----------
    scoring : Scoring
    chunk : mapping of str to ndarray
        See :func:`~spinexplain.analysis.explanations.chunk.read_chunks`.
    task : Task

    Returns
    -------
    dict
        JSON-ready.
    """
    bench, maps = scoring.bench, chunk["maps"]
    rows = scoring.opponents.rows
    first = {name: found for name, found in map_figures(scoring, chunk["first"]).items()}
    return {
        **map_figures(scoring, maps),
        "first": {"placement": first["placement"], "localization": first["localization"]},
        "neighbors": _neighbors(bench, chunk["strengths"]),
        "twin": _twins(bench, chunk, task, rows),
        "faithfulness": _faithfulness(scoring, chunk["curves"]),
        "stability": {
            name: _mean(chunk[name][np.isfinite(chunk[name])]) for name in ("shifted", "noisy")
        },
        "usefulness": _usefulness(scoring, chunk, task),
        "seconds": _mean(chunk["seconds"]),
        "vertebrae": len(bench),
        "fractures": int(bench.fractured.sum()),
    }


def _placements(scoring: Scoring, maps: np.ndarray) -> dict[str, Any]:
    found = {}
    for question, regions in scoring.regions.items():
        truth = scoring.bench.truth[question]
        asked = np.flatnonzero(truth >= 0)
        counts = np.bincount(truth[asked], minlength=regions.shape[1])
        if not len(asked) or not counts.all():
            continue
        choices = chosen_parts(region_strengths(maps[asked], regions[asked]))
        exchanged = exchanged_choices(maps[asked], regions[asked])
        whose = scoring.bench.subjects[asked]
        judged = placement_skill(
            choices, exchanged, truth[asked], whose, scoring.seed, scoring.draws
        )
        recalls = [float(choices[truth[asked] == k, k].mean()) for k in range(len(counts))]
        found[question] = {**skill_json(judged), "counts": counts.tolist(), "recalls": recalls}
    return found


def _localization(scoring: Scoring, maps: np.ndarray) -> dict[str, Any]:
    rows = scoring.opponents.rows
    if not len(rows):
        return {}
    masks, whose = scoring.bench.masks["evidence"][rows], scoring.bench.subjects[rows]
    return {
        name: skill_json(
            skill(
                measure(maps[rows], masks),
                scoring.opponents.figures[name],
                whose,
                scoring.seed,
                scoring.draws,
            )
        )
        for name, measure in METRICS.items()
    }


def _regions(scoring: Scoring, maps: np.ndarray) -> dict[str, dict[str, float | None]]:
    bench = scoring.bench
    rows = np.flatnonzero(bench.fractured)
    if not len(rows):
        return {}
    found = {}
    for name, masks in bench.masks.items():
        there = rows[masks[rows].reshape(len(rows), -1).any(axis=1)]
        if name != "evidence" and len(there):
            found[name] = {
                "energy_inside": _mean(energy_inside(maps[there], masks[there])),
                "top_share": _mean(top_share(maps[there], masks[there])),
                "share_of_patch": float(masks[there].mean()),
            }
    return found


def _neighbors(bench: Bench, strengths: np.ndarray) -> dict[str, Any] | None:
    """Compare adjacent vertebrae of a scan, one of them fractured; None where there are none."""
    scans = np.array([f"{a}/{b}" for a, b in zip(bench.subjects, bench.series, strict=True)])
    pairs = []
    for name in np.unique(scans):  # drawn sheets: many persons in one series
        rows = np.flatnonzero(scans == name)
        rows = rows[np.argsort([VertebraLevel(str(bench.levels[row])).order for row in rows])]
        pairs += [
            (upper, lower)
            for upper, lower in pairwise(rows.tolist())
            if bench.fractured[upper] != bench.fractured[lower]
            and _are_adjacent(str(bench.levels[upper]), str(bench.levels[lower]))
        ]
    if not pairs:
        return None
    upper, lower = np.array(pairs).T
    value = neighbor_placement(
        np.column_stack([strengths[upper], strengths[lower]]), bench.fractured[upper]
    )
    return {"value": _number(value), "pairs": len(pairs)}


def _are_adjacent(upper: str, lower: str) -> bool:
    """Whether two levels touch; T13, where a person has it, lies between T12 and L1."""
    between = VertebraLevel(lower).order - VertebraLevel(upper).order
    return between == 1 or (upper, lower) == ("T12", "L1")


def _twins(
    bench: Bench, chunk: Mapping[str, np.ndarray], task: Task, rows: np.ndarray
) -> dict[str, Any] | None:
    paired = np.flatnonzero(bench.fractured & np.isfinite(chunk["twin_strengths"]))
    if not len(paired):
        return None
    with_it, without = chunk["strengths"][paired], chunk["twin_strengths"][paired]
    called = fracture_probability(chunk["logits"][paired], task)
    healthy = fracture_probability(chunk["twin_logits"][paired], task)
    known = np.intersect1d(paired, rows)
    inside = (
        _mean(
            change_inside(
                chunk["maps"][known], chunk["twin_maps"][known], bench.masks["evidence"][known]
            )
        )
        if len(known)
        else None
    )
    return {
        "pairs": len(paired),
        "falls": falls(with_it, without),
        "relative_fall": _number(relative_fall(with_it, without)),
        "auc": _number(twin_auc(with_it, without)),
        "change_inside": inside,
        "probability_falls": falls(called, healthy),
    }


def _faithfulness(scoring: Scoring, curves: np.ndarray) -> dict[str, Any]:
    """Return mean areas and curves by reference, with an interval of insertion minus deletion."""
    found = {}
    for index, name in enumerate(REFERENCES):
        known = np.flatnonzero(np.isfinite(curves[:, index]).all(axis=(1, 2)))
        if not len(known) or curves.shape[-1] < 2:
            continue
        here = curves[known, index]
        areas = curve_area(here)
        gap = areas[:, 1] - areas[:, 0]
        found[name] = {
            "deletion": _mean(areas[:, 0]),
            "insertion": _mean(areas[:, 1]),
            "gap": interval_json(
                weighted_bootstrap(
                    mean_of(gap), scoring.bench.subjects[known], scoring.seed, scoring.draws
                )
            ),
            "curves": np.round(here.mean(axis=0), 5).tolist(),
        }
    return found


def mean_of(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a figure for the bootstrap: the weighted mean of these values."""
    return lambda weights: weights @ values / weights.sum(axis=1)


def _usefulness(scoring: Scoring, chunk: Mapping[str, np.ndarray], task: Task) -> dict[str, Any]:
    """Ask whether weak evidence betrays a false alarm, among all vertebrae called fractured.

    Healthy vertebrae and healthy twins that are called fractured are the false alarms.
    Fractures count where the class explained is the one called.
    """
    bench = scoring.bench
    probability = fracture_probability(chunk["logits"], task)
    candidates = fracture_indices(task)
    called_class = np.array(candidates)[chunk["logits"][:, candidates].argmax(axis=1)]
    real = bench.fractured & (probability >= CALLED) & (called_class == chunk["targets"])
    alarm = (bench.grades == "G0") & (probability >= CALLED)
    with np.errstate(invalid="ignore"):
        twin_probability = fracture_probability(chunk["twin_logits"], task)
        twin_alarm = np.isfinite(twin_probability) & (twin_probability >= CALLED)
    fractures = chunk["strengths"][real]
    alarms = np.concatenate([chunk["strengths"][alarm], chunk["twin_strengths"][twin_alarm]])
    whose = np.concatenate(
        [bench.subjects[real], bench.subjects[alarm], bench.subjects[twin_alarm]]
    )
    sure = np.concatenate([probability[real], probability[alarm], twin_probability[twin_alarm]])
    wrong = np.repeat([False, True], [len(fractures), len(alarms)])
    if not len(fractures) or not len(alarms):
        return {"false_alarms": len(alarms), "found": len(fractures)}
    doubt = -np.concatenate([fractures, alarms])
    return {
        "found": len(fractures),
        "false_alarms": len(alarms),
        "error_auc": interval_json(error_auc(doubt, wrong, whose, scoring.seed, scoring.draws)),
        "confidence_auc": interval_json(
            error_auc(-sure, wrong, whose, scoring.seed, scoring.draws)
        ),
        "equally_convincing": _number(equally_convincing(alarms, fractures)),
    }


def skill_json(found: Skill) -> dict[str, Any]:
    """Turn a skill into JSON values."""
    return {
        **interval_json(found.value),
        "prior": found.prior,
        "prior_value": _number(found.prior_value),
        "gain": interval_json(found.gain),
    }


def interval_json(found: Interval) -> dict[str, Any]:
    """Turn an interval into JSON values; None where there is no number."""
    return {
        "value": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "note": found.note,
    }


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _mean(values: np.ndarray) -> float | None:
    return _number(float(np.mean(values))) if len(values) else None
