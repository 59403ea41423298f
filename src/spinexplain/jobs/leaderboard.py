"""The leaderboard of explanations: what is asked for it, and what the stored pieces say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinexplain.analysis.explanations.assemble import Panel
    from spinexplain.analysis.explanations.figures import Scoring
    from spinexplain.analysis.explanations.pieces import Source
    from spinexplain.config.tasks import Task


BENCH_SEED = 90001
"""The seed of the drawn benchmark; no model may be trained with it."""


@dataclass(frozen=True)
class ScoreRequest:
    """What is scored, on what, and where the results go.

    Parameters
    ----------
    models : tuple of str
        Shipped names, bundles or runs.
    cohort : str
        A cohort's folder, or the name of a phantom preset that is drawn from ``bench_seed``.
    out : Path
    explainers : tuple of str
        ``"all"``, names, or ``package.module:Class``.
    maps : tuple of Path
        Folders of heat maps that somebody else computed.
    dissections : tuple of Path
        What ``dissect`` wrote, for the dissected units.
    split : str or None
        Of a cohort; None for all of it.
    vertebrae : int
        At most so many of a cohort, or so many drawn; 0 for all of a cohort.
    steps : int
        Of the deletion and insertion curves; 0 for none.
    seed : int
        Of everything random but the drawn cohort.
    bench_seed : int
    jobs : int
    draws : int
        Of the bootstrap by subject.
    store : bool
        Whether what a report says of each model's evidence is put into its bundle.
    force : bool
        Whether results of another request in ``out`` may be replaced.
    """

    models: tuple[str, ...]
    cohort: str
    out: Path
    explainers: tuple[str, ...] = ("all",)
    maps: tuple[Path, ...] = ()
    dissections: tuple[Path, ...] = ()
    split: str | None = None
    vertebrae: int = 200
    steps: int = 16
    seed: int = 0
    bench_seed: int = BENCH_SEED
    jobs: int = 1
    draws: int = 2000
    store: bool = False
    force: bool = False


@dataclass(frozen=True)
class ScoredModel:
    """One model of the request: what it is, what it is scored on, and where pieces lie."""

    name: str
    task: Task
    source: Source
    folder: Path
    explainers: tuple[str, ...]
    has_prototypes: bool


@dataclass(frozen=True)
class Collected:
    """What the run has collected for the leaderboard."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    panels: dict[str, list[Panel]] = field(default_factory=dict)
    benches: dict[str, Any] = field(default_factory=dict)
    prototypes: dict[str, Any] = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)
    reliability: dict[str, Any] = field(default_factory=dict)


def collect(request: ScoreRequest, model: ScoredModel, found: Collected) -> None:
    """Score the stored pieces of a model; ``found`` takes its rows, panels and reliability."""
    from spinexplain.analysis.explanations.assemble import (
        bench_facts,
        explainer_row,
        prior_rows,
        reliability_of,
    )
    from spinexplain.analysis.explanations.pieces import folder_name

    scoring = _scoring(request, model.source)
    key = _bench_name(scoring)
    if key not in found.benches:
        found.benches[key] = {**bench_facts(scoring), "priors": prior_rows(scoring)}
    for explainer in model.explainers:
        folder = model.folder / folder_name(explainer)
        row, panels = explainer_row(scoring, folder, model.name, explainer, model.task)
        found.rows.append({**row, "bench": key})
        found.panels[f"{model.name}: {explainer}"] = panels
        measured = reliability_of(row)
        if measured is not None:
            found.reliability.setdefault(model.name, {})[explainer] = measured
    if model.has_prototypes:
        found.prototypes[model.name] = stored_json(model.folder / "prototype-set.json")


def _bench_name(scoring: Scoring) -> str:
    kind = {2: "sheets", 3: "boxes"}[scoring.bench.axes]
    return f"{kind} of {scoring.bench.hu.shape[1]} mm"


def _scoring(request: ScoreRequest, source: Source) -> Scoring:
    from spinexplain.analysis.explanations.assemble import scoring_of
    from spinexplain.analysis.explanations.pieces import loaded_bench

    return scoring_of(loaded_bench(source), request.seed, request.draws)


def collect_foreign(request: ScoreRequest, models: Sequence[ScoredModel], found: Collected) -> None:
    """Score the folders of heat maps on the vertebrae of the first model."""
    from spinexplain.analysis.explanations.assemble import foreign_row
    from spinexplain.analysis.explanations.foreign import foreign_maps

    for folder in request.maps:
        scoring = _scoring(request, models[0].source)
        maps = foreign_maps(folder, scoring.bench)
        row, panels = foreign_row(scoring, folder.name, maps)
        found.rows.append({**row, "bench": _bench_name(scoring)})
        found.panels[f"given maps: {folder.name}"] = panels


def store(request: ScoreRequest, models: Sequence[ScoredModel], found: Collected) -> None:
    """Put into each bundle what a report says of its explainers."""
    from spinexplain.models.bundle.evidence import store_evidence
    from spinexplain.models.bundle.folder import locate
    from spinexplain.types import EvidenceReliability

    for model in models:
        measured = [
            EvidenceReliability(
                method=method,
                cohort=Path(request.cohort).name,
                endplate=one["endplate"]["value"],
                low=one["endplate"]["low"],
                high=one["endplate"]["high"],
                fractures=one["fractures"],
                equally_convincing=one["equally_convincing"],
                false_alarms=one["false_alarms"],
            )
            for method, one in found.reliability.get(model.name, {}).items()
        ]
        if measured:
            store_evidence(locate(model.source.model), measured)


def leaderboard_of(request: ScoreRequest, found: Collected) -> dict[str, Any]:
    """Return what ``leaderboard.json`` holds."""
    from spinexplain.analysis.explanations.assemble import SCHEMA

    return {
        "schema": SCHEMA,
        "cohort": Path(request.cohort).name,
        "drawn": not Path(request.cohort).is_dir(),
        "bench_seed": request.bench_seed,
        "seed": request.seed,
        "steps": request.steps,
        "draws": request.draws,
        "benches": found.benches,
        "rows": found.rows,
        "prototypes": found.prototypes,
        "reliability": found.reliability,
        "left_out": found.left_out,
    }


def stored_json(path: Path) -> Any:
    """Return what a JSON file holds; None where there is none or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
