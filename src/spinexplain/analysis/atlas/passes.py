"""The passes over a training set that an atlas is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from spinexplain.analysis.atlas.crops import AtlasData
from spinexplain.analysis.reliability import top_share
from spinexplain.config.tasks import Task
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.body_scale import expected_heights_mm, resampled
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.data.crops.structures import BESIDE, STRUCTURES, shares_on, structures_of
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import upsample_map
from spinexplain.progress import SILENT, Progress
from spinexplain.train.grading.augment import plain_crops
from spinexplain.train.grading.plain_inputs import inputs_in_batches

STRUCTURE_CROPS = {2: 150, 3: 15}
"""Crops of each class whose maps are laid over masks, by the number of axes."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What one pass over n crops leaves, P prototypes, D features.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    similarities : ndarray, shape (n, P)
        Of the best cell.
    cells : ndarray of int, shape (n, P)
        That cell, counted along the flattened grid.
    grid : tuple of int
    winners : ndarray, shape (n, D)
        The latent patch that is nearest to any prototype of the crop's class.
    center : ndarray, shape (D,)
        Mean of ``winners``, every class weighing the same. The mean of all patches would not
        do: most are background, and from there all bone lies in one direction.
    """

    labels: np.ndarray
    similarities: np.ndarray
    cells: np.ndarray
    grid: tuple[int, ...]
    winners: np.ndarray
    center: np.ndarray

    def cell(self, row: int, prototype: int) -> tuple[int, ...]:
        """Return the grid cell of a crop that is nearest to a prototype."""
        return tuple(int(i) for i in np.unravel_index(self.cells[row, prototype], self.grid))


@torch.no_grad()
def sweep(
    model: PrototypeNet,
    data: TrainingSet,
    spec: InputSpec,
    task: Task,
    progress: Progress = SILENT,
) -> Sweep:
    """Pass every unaugmented crop through a model once.

    Parameters
    ----------
    model : PrototypeNet
        In evaluation mode.
    data : TrainingSet
        Every grade is in a class of ``task``.
    spec : InputSpec
    task : Task
        Of the model.
    progress : Progress
        Hears ``crops`` after every batch.
    """
    labels = class_labels(data, task)
    owner = model.prototype_class.cpu().numpy()
    similarities, cells, winners = [], [], []
    grid: tuple[int, ...] = ()
    for rows, x, _ in inputs_in_batches(data, np.arange(len(data)), spec):
        latent = model.latent(x)
        grid = tuple(latent.shape[2:])
        nearest, at = model.latent_distances(latent).flatten(2).min(dim=2)
        flat = latent.flatten(2).double()
        foreign = torch.from_numpy(owner[None] != labels[rows, None])
        best = nearest.masked_fill(foreign, torch.inf).argmin(dim=1)
        place = at[torch.arange(len(rows)), best]
        winners.append(flat[torch.arange(len(rows)), :, place].numpy())
        similarities.append(model.similarity_of(nearest).double().numpy())
        cells.append(at.numpy())
        progress.step("crops", int(rows[-1]) + 1, len(data))
    nearest_patches = np.concatenate(winners)
    means = [nearest_patches[labels == k].mean(axis=0) for k in np.unique(labels)]
    return Sweep(
        labels=labels,
        similarities=np.concatenate(similarities),
        cells=np.concatenate(cells),
        grid=grid,
        winners=nearest_patches,
        center=np.mean(means, axis=0),
    )


@torch.no_grad()
def structure_shares(
    model: PrototypeNet,
    data: AtlasData,
    seen: Sweep,
    spec: InputSpec,
    progress: Progress = SILENT,
) -> tuple[list[dict[str, float]], dict[str, float], int]:
    """Measure on which structures every prototype lights up in crops of its own class.

    Returns
    -------
    list of dict of str to float, length P
        Structure -> share of the highest 2 % of the similarity map, mean over crops; empty
        where no crop of the class has masks.
    dict of str to float
        Structure -> share of the whole crop: what a map without any preference would give.
    int
        Crops of each class looked at, at most.
    """
    owner = model.prototype_class.cpu().numpy()
    limit = STRUCTURE_CROPS[spec.axes]
    sums = np.zeros((len(owner) + 1, len(STRUCTURES)))
    counts = np.zeros(len(owner) + 1, int)
    chosen = {k: _some(np.flatnonzero(seen.labels == k), limit) for k in np.unique(owner)}
    done, total = 0, sum(len(rows) for rows in chosen.values())
    for k, rows in chosen.items():
        members = np.flatnonzero(owner == k)
        for start in range(0, len(rows), 32):
            batch = rows[start : start + 32]
            for prototype, shares in _of_crops(model, data, batch, members, spec):
                sums[prototype] += shares
                counts[prototype] += 1
            done += len(batch)
            progress.step("structures", done, total)
    tables = [
        dict(zip(STRUCTURES, (s / n).tolist(), strict=True)) if n else {}
        for s, n in zip(sums, counts, strict=True)
    ]
    return tables[:-1], tables[-1], limit


def _some(rows: np.ndarray, limit: int) -> np.ndarray:
    """Take evenly spaced rows, so that every part of a cohort is looked at."""
    if len(rows) <= limit:
        return rows
    return rows[np.linspace(0, len(rows) - 1, limit).round().astype(int)]


def _of_crops(
    model: PrototypeNet, data: AtlasData, rows: np.ndarray, members: np.ndarray, spec: InputSpec
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (prototype, shares) of every crop with masks; prototype -1 is the whole crop."""
    coded = _coded(data, rows, spec.axes)
    crops = plain_crops(coded, np.arange(len(rows)), spec)
    assert crops.target is not None
    maps = model.similarity_maps(network_input(crops.hu, crops.centers, spec)).numpy()
    shape = tuple(crops.hu.shape[1:])
    for inside, cells in zip(crops.target.numpy().round().astype(int), maps, strict=True):
        whole = shares_on(np.ones(shape, bool), inside)
        if whole is None:
            continue
        yield -1, whole
        for prototype in members:
            heat = upsample_map(cells[prototype], shape, model.trunk.field, spec.size / shape[0])
            shares = shares_on(top_share(heat), inside)
            assert shares is not None
            yield int(prototype), shares


def _coded(data: AtlasData, rows: np.ndarray, axes: int) -> TrainingSet:
    """Return rows with structure codes as their mask: cut like one, codes stay codes."""
    chosen = data.training.take(rows)
    assert chosen.origin is not None
    places = [data.places[int(origin)] for origin in chosen.origin]
    codes = np.zeros(chosen.patches_hu.shape, np.uint8)
    for cohort in dict.fromkeys(cohort for cohort, _ in places):
        here = [i for i, place in enumerate(places) if place[0] is cohort]
        where = np.array([places[i][1] for i in here])
        codes[here] = structures_of(cohort, where, axes)
        if chosen.body_height_mm is not None:
            steps = expected_heights_mm(cohort, where, axes) / chosen.body_height_mm
            codes[here] = resampled(codes[here], steps, "nearest", BESIDE)
    return replace(chosen, target=codes)
