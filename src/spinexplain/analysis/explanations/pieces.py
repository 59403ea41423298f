"""The pieces of a benchmark run: each is computed in any process and stored by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.analysis.explanations.bench import Bench, open_bench
from spinexplain.analysis.explanations.chunk import (
    ChunkSettings,
    explain_chunk,
    read_chunks,
    write_chunk,
)
from spinexplain.analysis.explanations.methods import method_by_name
from spinexplain.analysis.explanations.targets import class_indices
from spinexplain.data.cohort import Cohort
from spinexplain.evaluate.explanations.sanity import is_flagged, rank_similarity
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.dissection.store import read_dissection
from spinexplain.io.files import atomic_file
from spinexplain.models.bundle.description import ExportDescription
from spinexplain.models.bundle.folder import locate, read_description, read_json
from spinexplain.models.bundle.store import EXPORT, load_grader
from spinexplain.models.grader import Grader
from spinexplain.models.input_arrays import input_array
from spinexplain.models.runtime.exported import compiled

AT_ONCE = {2: 20, 3: 4}
RANDOMIZED = 12
"""Fractures on which the random models are explained."""


@dataclass(frozen=True)
class Source:
    """A model and the vertebrae it is scored on.

    Parameters
    ----------
    model : str
        Name of a shipped model, a bundle's folder or a run's.
    cohort : Path
    rows : tuple of int
        Of the cohort's index.
    dissections : tuple of Path
    """

    model: str
    cohort: Path
    rows: tuple[int, ...]
    dissections: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Piece:
    """What one process computes at a time.

    Parameters
    ----------
    kind : str
        ``"maps"``, ``"random"`` or ``"prototypes"``.
    source : Source
    explainer : str
        Empty for prototypes.
    path : Path
        Where the result is stored.
    settings : ChunkSettings
    start, stop : int
        Vertebrae of the bench, for maps.
    """

    kind: str
    source: Source
    explainer: str
    path: Path
    settings: ChunkSettings
    start: int = 0
    stop: int = 0


def compute(piece: Piece) -> None:
    """Compute a piece and store it; one that is stored already is left alone."""
    if piece.path.exists():
        return
    piece.path.parent.mkdir(parents=True, exist_ok=True)
    {"maps": _maps, "random": _random, "prototypes": _prototypes}[piece.kind](piece)


def on_one_thread() -> None:
    """Keep a worker to one core: there is one worker for each."""
    import torch

    torch.set_num_threads(1)


@lru_cache(maxsize=2)
def loaded_grader(model: str) -> Grader:
    """Load a model whose exported network, if it has one, runs on one thread."""
    folder = locate(model)
    grader = load_grader(folder)
    if grader.runtime is None:
        return grader
    precision = ExportDescription.model_validate(read_json(folder / EXPORT)).precision
    return replace(grader, runtime=compiled(folder, grader.spec, precision, threads=1))


@lru_cache(maxsize=1)
def loaded_bench(source: Source) -> Bench:
    """Open the vertebrae of a source as its model sees them."""
    spec = read_description(locate(source.model)).input
    return open_bench(Cohort.open(source.cohort), np.array(source.rows), spec)


@lru_cache(maxsize=2)
def loaded_dissections(paths: tuple[Path, ...]) -> tuple[Dissection, ...]:
    """Read dissections once."""
    return tuple(read_dissection(path) for path in paths)


def _method(piece: Piece, grader: Grader) -> Any:
    return method_by_name(piece.explainer, grader, loaded_dissections(piece.source.dissections))


def _maps(piece: Piece) -> None:
    bench, grader = loaded_bench(piece.source), loaded_grader(piece.source.model)
    rows = range(piece.start, min(piece.stop, len(bench)))
    method = _method(piece, grader)
    write_chunk(piece.path, explain_chunk(bench, rows, grader, method, piece.settings))


def _random(piece: Piece) -> None:
    """Explain a few fractures by random models and compare with the trained one's maps."""
    from spinexplain.explainers.randomize import with_random_labels, with_random_weights

    bench, grader = loaded_bench(piece.source), loaded_grader(piece.source.model)
    chunk = read_chunks(sorted(piece.path.parent.glob("maps-*.npz")))
    rows = np.flatnonzero(bench.fractured)[:RANDOMIZED]
    labels = class_indices(bench.grades, grader.task)
    graded = np.flatnonzero(labels >= 0)[:200]
    inputs = input_array([bench.patch(int(row)) for row in graded], grader.spec)
    seed = piece.settings.seed
    models = {
        "weights": with_random_weights(grader, seed),
        "labels": with_random_labels(grader, inputs, labels[graded], seed),
    }
    found: dict[str, Any] = {}
    for name, model in models.items():
        similar = _similarities(piece, bench, model, rows, chunk)
        found[name] = float(similar.mean()) if len(similar) else None
        found[f"{name}_flagged"] = is_flagged(similar) if len(similar) else None
    write_json(piece.path, found)


def _similarities(
    piece: Piece, bench: Bench, model: Grader, rows: np.ndarray, chunk: dict[str, np.ndarray]
) -> np.ndarray:
    method, found = _method(piece, model), []
    for row in rows:
        target = model.classes[int(chunk["targets"][row])]
        again = bench.scored(method(model, bench.patch(int(row)), target).heatmap)
        found.append(rank_similarity(chunk["maps"][row][None], again[None])[0])
    return np.array(found)


def _prototypes(piece: Piece) -> None:
    from spinexplain.analysis.explanations.prototypes import prototype_figures

    bench, grader = loaded_bench(piece.source), loaded_grader(piece.source.model)
    labels = class_indices(bench.grades, grader.task)
    write_json(piece.path, prototype_figures(bench, grader, labels, piece.settings.seed))


def write_json(path: Path, content: Any) -> None:
    """Write JSON, complete or not at all; NaN becomes null."""
    with atomic_file(path) as temporary:
        text = json.dumps(_finite(content), indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float | np.floating):
        return float(content) if np.isfinite(content) else None
    return content


def planned_pieces(
    source: Source,
    explainers: Sequence[str],
    vertebrae: int,
    axes: int,
    folder: Path,
    settings: ChunkSettings,
) -> list[Piece]:
    """List the map pieces of a model: every explainer in chunks of vertebrae."""
    size = AT_ONCE[axes]
    return [
        Piece(
            "maps",
            source,
            explainer,
            folder / folder_name(explainer) / f"maps-{start:06d}.npz",
            settings,
            start,
            start + size,
        )
        for explainer in explainers
        for start in range(0, vertebrae, size)
    ]


def folder_name(name: str) -> str:
    """Return a name that is safe as a folder's.

    Examples
    --------
    >>> folder_name("my.module:Maps"), folder_name("gradcam++"), folder_name("../x")
    ('my.module_Maps', 'gradcam++', '_x')
    """
    kept = "".join(c if c.isalnum() or c in "-_.+" else "_" for c in name)
    return kept.lstrip(".") or "_"
