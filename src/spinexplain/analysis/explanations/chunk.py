"""One piece of the benchmark: one explainer on one model and a few dozen vertebrae."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from spinexplain.analysis.explanations.bench import Bench
from spinexplain.analysis.explanations.curves import REFERENCES, deletion_curves, reference_inputs
from spinexplain.analysis.explanations.methods import Method, ScoredMap
from spinexplain.analysis.explanations.targets import explained_class, fracture_probability
from spinexplain.evaluate.explanations.sanity import rank_similarity
from spinexplain.explainers.answers import input_logits
from spinexplain.io.files import atomic_file
from spinexplain.models.grader import Grader

SHIFT_HU, NOISE_HU = 20.0, 15.0


@dataclass(frozen=True)
class ChunkSettings:
    """What is done with every vertebra.

    Parameters
    ----------
    steps : int
        Of the deletion and insertion curves; 0 for none.
    seed : int
    disturbed : int
        The first so many fractures are explained again with all HU shifted, and with noise.
    """

    steps: int
    seed: int
    disturbed: int


def explain_chunk(
    bench: Bench,
    rows: Sequence[int],
    grader: Grader,
    method: Method,
    settings: ChunkSettings,
) -> dict[str, np.ndarray]:
    """Explain some vertebrae and their twins, and score what needs the network.

    Parameters
    ----------
    bench : Bench
    rows : sequence of int
        Of the bench.
    grader : Grader
    method : callable
        See :func:`~spinexplain.analysis.explanations.methods.method_by_name`.
    settings : ChunkSettings

    Returns
    -------
    dict of str to ndarray, one row a vertebra
        ``rows``, ``targets``, ``logits``; ``maps``, ``first`` and ``strengths``; the same with
        ``twin_`` (NaN without a twin); ``curves``; ``shifted`` and ``noisy`` (similarity of
        the map, NaN where not asked for); ``seconds`` (CPU time of the map alone).
    """
    disturbed = set(np.flatnonzero(bench.fractured)[: settings.disturbed].tolist())
    found = [_explained(bench, row, grader, method, settings, row in disturbed) for row in rows]
    keys = found[0] if found else {}
    return {"rows": np.array(rows), **{key: np.stack([one[key] for one in found]) for key in keys}}


def _explained(
    bench: Bench,
    row: int,
    grader: Grader,
    method: Method,
    settings: ChunkSettings,
    is_disturbed: bool,
) -> dict[str, np.ndarray]:
    patch = bench.patch(row)
    twin = bench.patch(row, twin=True) if bench.twin_of[row] >= 0 else None
    logits = grader.logits([patch] if twin is None else [patch, twin])
    index = explained_class(str(bench.grades[row]), logits[0], grader.task)
    target = grader.classes[index]
    start = time.process_time()
    own = method(grader, patch, target)
    seconds = time.process_time() - start
    other = None if twin is None else method(grader, twin, target)
    curves = np.full((len(REFERENCES), 2, settings.steps + 1), np.nan, np.float32)
    if settings.steps and bench.fractured[row]:
        score = partial(_fracture_score, grader)
        inputs = reference_inputs(grader, patch, twin)
        curves = deletion_curves(score, inputs, own.heatmap, settings.steps, settings.seed)
    return {
        "targets": np.array(index),
        "logits": logits[0],
        "twin_logits": logits[1] if twin is not None else np.full_like(logits[0], np.nan),
        **_stored(bench, own, ""),
        **_stored(bench, other, "twin_"),
        "curves": curves,
        **_disturbed(bench, row, grader, method, target, own, settings.seed, is_disturbed),
        "seconds": np.array(seconds),
    }


def _fracture_score(grader: Grader, inputs: np.ndarray) -> np.ndarray:
    return fracture_probability(input_logits(grader, inputs), grader.task)


def _stored(bench: Bench, found: ScoredMap | None, prefix: str) -> dict[str, np.ndarray]:
    """Return a map on the scored grid, its first part and its strength; NaN for none."""
    if found is None:
        nothing = np.full(bench.masks["body"].shape[1:], np.nan, np.float32)
        return {f"{prefix}maps": nothing, f"{prefix}strengths": np.array(np.nan)}
    maps = {f"{prefix}maps": bench.scored(found.heatmap)}
    if not prefix:
        maps["first"] = bench.scored(found.first)
    return {**maps, f"{prefix}strengths": np.array(found.strength)}


def _disturbed(
    bench: Bench,
    row: int,
    grader: Grader,
    method: Method,
    target: str,
    own: ScoredMap,
    seed: int,
    asked: bool,
) -> dict[str, np.ndarray]:
    """Return how alike the map stays when all HU are shifted, and under noise."""
    if not asked:
        return {"shifted": np.array(np.nan), "noisy": np.array(np.nan)}
    hu = np.asarray(bench.hu[row], np.float32)
    noise = np.random.default_rng([seed, row, 41]).normal(0, NOISE_HU, hu.shape)
    before = bench.scored(own.heatmap)[None]
    found = {}
    for name, changed in (("shifted", hu + SHIFT_HU), ("noisy", hu + noise.astype(np.float32))):
        again = method(grader, bench.patch(row, hu=changed), target)
        found[name] = rank_similarity(before, bench.scored(again.heatmap)[None])[0]
    return found


def write_chunk(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Store a chunk, complete or not at all; maps in half precision, each scaled to peak 1."""
    stored = dict(arrays)
    for name in ("maps", "first", "twin_maps"):
        if name in stored:
            stored[name], stored[f"{name}_peak"] = _halved(stored[name])
    with atomic_file(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **stored)  # type: ignore[arg-type]


def _halved(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = np.asarray(maps, np.float32).reshape(len(maps), -1)
    peak = np.where(np.isfinite(flat), flat, 0).max(axis=1)
    scaled = flat / np.where(peak > 0, peak, 1)[:, None]
    return scaled.astype(np.float16).reshape(np.shape(maps)), peak


def read_chunks(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Read chunks and put their rows after one another, in the order of the bench."""
    parts = []
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            parts.append({name: file[name] for name in file.files})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined["rows"], kind="stable")
    found = {name: array[order] for name, array in joined.items()}
    for name in ("maps", "first", "twin_maps"):
        if name in found:
            peak = found.pop(f"{name}_peak").reshape(-1, *(1,) * (found[name].ndim - 1))
            found[name] = found[name].astype(np.float32) * np.where(peak > 0, peak, 1)
    return found
