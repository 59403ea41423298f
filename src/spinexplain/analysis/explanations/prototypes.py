"""What the prototypes of one model do on the bench: where each points, and who wins."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinexplain.analysis.explanations.bench import REDUCTION, Bench
from spinexplain.analysis.explanations.body_cells import mean_features
from spinexplain.analysis.explanations.chunk import NOISE_HU
from spinexplain.evaluate.explanations.parts import part_at, part_names
from spinexplain.evaluate.explanations.prototype_set import (
    consistency,
    coverage,
    distinct_parts,
    effective_field,
    purity,
    stability,
    usual_part,
)
from spinexplain.evaluate.prototypes import cosine_matrix, same_class_cosine, winner_share
from spinexplain.models.grader import Grader
from spinexplain.models.receptive import ReceptiveField
from spinexplain.types import Patch

_NOT_COUNTED = -2
_FIELDS = 8


def prototype_figures(
    bench: Bench, grader: Grader, labels: np.ndarray, seed: int
) -> dict[str, Any]:
    """Score the prototypes of a model as a set.

    Parameters
    ----------
    bench : Bench
    grader : Grader
        With a prototype head.
    labels : ndarray of int, shape (n,)
        Class of every vertebra, -1 for none.
    seed : int
        Of the noise.

    Returns
    -------
    dict
        JSON-ready: consistency, stability, purity, cosine raw and around the mean of the
        cells in bodies, winner shares, distinct parts, coverage of fracture shapes, effective
        and theoretical field in mm, and each prototype's usual part.
    """
    head = grader.prototype_head
    assert head is not None
    patches = [bench.patch(row) for row in range(len(bench))]
    maps = grader.similarity_maps(patches)
    similarities = maps.reshape(*maps.shape[:2], -1).max(axis=2)
    parts, peaks = _parts(bench, grader, maps, head.field)
    noisy = grader.similarity_maps([_noisy(bench, row, seed) for row in range(len(bench))])
    moved, _ = _parts(bench, grader, noisy, head.field)
    own = labels[:, None] == head.owner[None]
    own_parts, own_moved = np.where(own, parts, _NOT_COUNTED), np.where(own, moved, _NOT_COUNTED)
    usual = [usual_part(column[column > _NOT_COUNTED]) for column in own_parts.T]
    names = part_names(bench.axes)
    distinct = distinct_parts(np.array([part for part, _ in usual]), head.owner)
    return {
        "consistency": consistency(own_parts),
        "stability": stability(own_parts, own_moved),
        "purity": float(np.mean(purity(parts, similarities))),
        **_cosines(bench, grader, patches),
        "winner_share": winner_share(similarities, labels, head.owner).tolist(),
        "owner": [grader.classes[int(k)] for k in head.owner],
        "distinct_parts": {grader.classes[k]: count for k, count in distinct.items()},
        "usual_part": [names[part] if part >= 0 else "outside the body" for part, _ in usual],
        "usual_part_share": [share for _, share in usual],
        "coverage": _coverage(bench, peaks),
        **_fields(grader, patches, head.field),
    }


def _noisy(bench: Bench, row: int, seed: int) -> Patch:
    noise = np.random.default_rng([seed, row, 41]).normal(0, NOISE_HU, bench.hu.shape[1:])
    return bench.patch(row, hu=bench.hu[row] + noise.astype(np.float32))


def _parts(
    bench: Bench, grader: Grader, maps: np.ndarray, field: ReceptiveField
) -> tuple[np.ndarray, np.ndarray]:
    """Return the part each prototype's best cell lies in (n, P), and its sample (n, P, axes)."""
    shape = maps.shape[2:]
    best = maps.reshape(*maps.shape[:2], -1).argmax(axis=2)
    cells = np.stack(np.unravel_index(best, shape), axis=-1)
    pixels = field.start + cells * field.stride
    side = bench.hu.shape[1]
    samples = (pixels + 0.5) * side / grader.spec.size - 0.5
    scored = np.rint((samples + 0.5) / REDUCTION[bench.axes] - 0.5).astype(int)
    scored = np.clip(scored, 0, bench.masks["body"].shape[1] - 1)
    parts = [
        [part_at(body, tuple(index)) for index in row]
        for body, row in zip(bench.bodies, scored.tolist(), strict=True)
    ]
    return np.array(parts), scored


def _coverage(bench: Bench, peaks: np.ndarray) -> float | None:
    """Return the share of fracture shapes that some prototype points at, None without masks."""
    if "evidence" not in bench.masks or not bench.fractured.any():
        return None
    rows = np.flatnonzero(bench.fractured)
    hits = [[bench.masks["evidence"][row][tuple(index)] for index in peaks[row]] for row in rows]
    return coverage(np.array(hits, float), bench.shapes[rows])


def _cosines(bench: Bench, grader: Grader, patches: list[Patch]) -> dict[str, float]:
    """Return the mean same-class cosine of the vectors, raw and around the cells in bodies."""
    import torch

    model: Any = grader.model
    bodies = torch.from_numpy(bench.masks["body"])
    vectors, owner = model.prototypes.detach().cpu().numpy(), model.prototype_class.cpu().numpy()
    with torch.inference_mode():
        center = mean_features(
            (model.latent(grader.inputs(patches[k : k + 16])).cpu(), bodies[k : k + 16])
            for k in range(0, len(patches), 16)
        )["body_cells"]
    return {
        "cosine_raw": same_class_cosine(cosine_matrix(vectors), owner),
        "cosine_around_bodies": same_class_cosine(cosine_matrix(vectors, center), owner),
    }


def _fields(grader: Grader, patches: list[Patch], field: ReceptiveField) -> dict[str, float]:
    """Return the side of the box that sways a middle cell, and of the one that could, in mm."""
    import torch

    model: Any = grader.model
    chosen = patches[:: max(len(patches) // _FIELDS, 1)][:_FIELDS]
    with torch.inference_mode(False), torch.enable_grad():
        x = grader.inputs(chosen).clone().requires_grad_()
        features = model.trunk(x)
        middle = tuple(cells // 2 for cells in features.shape[2:])
        features[(slice(None), slice(None), *middle)].sum().backward()
    assert x.grad is not None
    influence = x.grad.abs().mean(dim=(0, 1)).cpu().numpy()
    center = [round(field.start + cell * field.stride) for cell in middle]
    side = effective_field(_centered(influence, center))
    pixel_mm = grader.spec.extent_mm / grader.spec.size
    return {"effective_field_mm": side * pixel_mm, "theoretical_field_mm": field.size * pixel_mm}


def _centered(influence: np.ndarray, center: list[int]) -> np.ndarray:
    """Cut the largest odd box around a pixel."""
    reach = min(min(c, n - 1 - c) for c, n in zip(center, influence.shape, strict=True))
    return influence[tuple(slice(c - reach, c + reach + 1) for c in center)]
