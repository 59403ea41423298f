"""What readings of the released code do, one at a time, to one dissected detector."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from scipy.ndimage import map_coordinates, zoom
from scipy.stats import spearmanr

from spinexplain.data.cohort import Cohort
from spinexplain.explainers.dissection.activity import Activity
from spinexplain.explainers.dissection.exemplars import strongest_plane
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.samples import Samples, select_samples
from spinexplain.explainers.dissection.statistics import auc, ranks
from spinexplain.explainers.hooks import capture
from spinexplain.models.grader import Grader
from spinexplain.models.inputs import network_input
from spinexplain.models.trunks.unet3d import with_batch_statistics
from spinexplain.reproduce.dissection.evidence import TOP, units_of
from spinexplain.reproduce.dissection.intervals import spread

PICTURES, BATCH, HALVES, AIR_HU = 25, 10, 200, -1000


def readings(grader: Grader, cohort: Cohort) -> dict[str, Any]:
    """Measure slices, masks, pictures, scale, halves and batch statistics."""
    samples = select_samples(cohort, grader.spec, grader.task)
    units, activity, grid = units_of(grader, samples)
    first = units.top("contrast")
    fractured = np.flatnonzero(samples.positive)
    return {
        "cohort": cohort.path.name,
        "samples": len(samples),
        "positives": len(fractured),
        "slices": slices(activity, grid, first, fractured),
        "masks": masks(grader, samples, activity, first, fractured),
        "pictures": pictures(activity, first, fractured),
        "scale": scale(grader, samples),
        "halves": halves(units.enabled, units.ranked, units.positive, units.subjects),
        "batch": batch(grader, samples),
    }


def slices(
    activity: Activity, grid: CellGrid, first: np.ndarray, fractured: np.ndarray
) -> dict[str, float]:
    """Choose the slice of a unit by all units' masks, as released, instead of its own."""
    kept, moved = [], []
    for sample in fractured:
        maps = {u: activity.map_above(u, int(sample)) for u in range(activity.peaks.shape[1])}
        everyone = np.sum([one > 0 for one in maps.values()], axis=0).astype(float)
        theirs, _ = strongest_plane(everyone, grid)
        assert theirs is not None
        for unit in first:
            if maps[int(unit)].any():
                profile = plane_sums(maps[int(unit)], grid)
                kept.append(profile[theirs] / profile.max())
                moved.append(abs(theirs - int(profile.argmax())))
    return {
        "pictures": len(kept),
        "kept": float(np.median(kept)),
        "empty": float((np.array(kept) == 0).mean()),
        "moved_mm": float(np.median(moved)),
    }


def plane_sums(cells: np.ndarray, grid: CellGrid) -> np.ndarray:
    """Sum a map over each sagittal plane of the crop."""
    planes = np.stack([grid.plane(2, index) for index in range(grid.side)], axis=1)
    return cells.sum(axis=(0, 1)) @ planes


def masks(
    grader: Grader, samples: Samples, activity: Activity, first: np.ndarray, fractured: np.ndarray
) -> dict[str, float]:
    """Compare a map interpolated with zeros around it with a threshold taken without."""
    thresholds, size = activity.tails.thresholds, grader.spec.size
    enabled = empty = 0
    for sample in fractured:
        cells = activations(grader, samples, np.array([sample]))[0, first].numpy()
        for unit, one in zip(first, cells, strict=True):
            if one.max() <= thresholds[unit]:
                continue
            enabled += 1
            dense = zoom(one, size / one.shape[0], order=1, mode="grid-constant", grid_mode=True)
            empty += not (dense > thresholds[unit]).any()
    return {"enabled": enabled, "empty": empty / max(enabled, 1)}


def activations(grader: Grader, samples: Samples, which: np.ndarray) -> torch.Tensor:
    """Return what the trunk gives for some vertebrae."""
    hu = torch.from_numpy(samples.crops(which))
    middle = torch.full((len(which), samples.spec.axes), (samples.side - 1) / 2)
    with torch.inference_mode(), capture(grader.model, "trunk") as seen:
        grader.model(network_input(hu, middle, grader.spec))
    return seen.activation.float()


def pictures(activity: Activity, first: np.ndarray, fractured: np.ndarray) -> dict[str, float]:
    """Choose a unit's pictures by its mean activation, as released, instead of eq. 2."""
    relevance, means = activity.relevance(), activity.means
    same, silent = [], []
    for unit in first:
        ours, theirs = (
            fractured[np.argsort(-values[fractured, unit], kind="stable")[:PICTURES]]
            for values in (relevance, means)
        )
        same.append(len(set(ours.tolist()) & set(theirs.tolist())))
        silent.append(float((relevance[theirs, unit] == 0).mean()))
    return {"of": PICTURES, "same": float(np.mean(same)), "not_enabled": float(np.mean(silent))}


def scale(grader: Grader, samples: Samples) -> dict[str, Any]:
    """Cut the middle 64 voxels of the scan's own grid, as the released app, not 64 mm."""
    scores: dict[str, list[float]] = {"mm": [], "voxels": []}
    spacings = np.stack(list(samples.column("native_spacing_mm")))[:, [2, 1, 0]]
    for sample in range(len(samples)):
        stored = samples.cohort.read("patches_3d", samples.rows[[sample]])[0].astype(np.float32)
        for name, step in (("mm", np.ones(3)), ("voxels", spacings[sample])):
            axes = [
                (np.arange(samples.side) - (samples.side - 1) / 2) * s + (n - 1) / 2
                for s, n in zip(step, stored.shape, strict=True)
            ]
            at = np.meshgrid(*axes, indexing="ij")
            cut = map_coordinates(stored, at, order=1, cval=AIR_HU)[None]
            middle = torch.full((1, 3), (samples.side - 1) / 2)
            with torch.inference_mode():
                logits = grader.model(network_input(torch.from_numpy(cut), middle, grader.spec))
            scores[name].append(float(logits[0, 1] - logits[0, 0]))
    found = {name: np.array(values)[:, None] for name, values in scores.items()}
    return {
        "auc": {n: float(auc(values, samples.positive)[0]) for n, values in found.items()},
        "changed": float(((found["mm"] > 0) != (found["voxels"] > 0)).mean()),
        "slices_mm": spread(spacings.max(axis=1)),
    }


def halves(
    enabled: np.ndarray, ranked: np.ndarray, positive: np.ndarray, subjects: np.ndarray
) -> dict[str, float]:
    """Choose the first ten units on one half of the subjects, look at them on the other."""
    rng = np.random.default_rng(0)
    same, own, other, correlation = [], [], [], []
    for _ in range(HALVES):
        mine = rng.permutation(subjects.max() + 1)[subjects] % 2 == 0
        contrasts = []
        for half in (mine, ~mine):
            sick, well = half & positive, half & ~positive
            if not sick.any() or not well.any():
                break
            contrasts.append(enabled[sick].mean(axis=0) - enabled[well].mean(axis=0))
        if len(contrasts) < 2:
            continue
        firsts = [np.argsort(ranks(c, ranked) + 10**6 * ~ranked)[:TOP] for c in contrasts]
        same.append(len(set(firsts[0].tolist()) & set(firsts[1].tolist())))
        own.append(contrasts[0][firsts[0]].mean())
        other.append(contrasts[1][firsts[0]].mean())
        correlation.append(spearmanr(contrasts[0][ranked], contrasts[1][ranked]).statistic)
    values = {"same": same, "own": own, "other": other, "correlation": correlation}
    return {name: float(np.mean(found)) for name, found in values.items()}


def batch(grader: Grader, samples: Samples, count: int = 40) -> dict[str, Any]:
    """Normalize by the batch in evaluation: thresholds from batches of one and of ten."""
    which = np.linspace(0, len(samples) - 1, count).astype(int)
    changed = dataclasses.replace(grader, model=with_batch_statistics(grader.model))
    one, ten = (
        torch.cat([activations(changed, samples, part) for part in np.split(which, count // n)])
        for n in (1, BATCH)
    )
    flat = [values.flatten(2).transpose(0, 1).flatten(1).numpy() for values in (one, ten)]
    alone, together = (np.quantile(values, 0.995, axis=1) for values in flat)
    active = together > 0
    change = np.abs(alone - together)[active] / together[active]
    marks = [v.flatten(2).amax(2).numpy() > together for v in (one, ten)]
    return {
        "vertebrae": count,
        "threshold_change": spread(change),
        "decisions_changed": float((marks[0] != marks[1])[:, active].mean()),
    }
