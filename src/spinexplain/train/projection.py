"""Projection (push): every prototype becomes a latent patch of a training vertebra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config import InputSpec, ProjectionSettings
from spinexplain.errors import ModelError
from spinexplain.models.inputs import batch_size, network_input
from spinexplain.models.prototype import PrototypeNet
from spinexplain.train.augment import Crops, inside_mask, plain_crops
from spinexplain.train.dataset import TrainingSet


@dataclass(frozen=True)
class PrototypeSource:
    """Where a projected prototype comes from.

    Parameters
    ----------
    row : int
        Row of the training set.
    cell : tuple of int
        Grid cell of the latent map.
    distance : float
        Squared L2 distance the prototype travelled.
    """

    row: int
    cell: tuple[int, ...]
    distance: float


def inputs_in_batches(
    data: TrainingSet, index: np.ndarray, spec: InputSpec
) -> Iterator[tuple[np.ndarray, Tensor, Crops]]:
    """Yield (rows, network inputs, crops) of the unaugmented set, batch by batch.

    The inputs are the trunk's features where the set holds them.
    """
    batch = batch_size(spec)
    for start in range(0, len(index), batch):
        rows = index[start : start + batch]
        crops = plain_crops(data, rows, spec)
        yield rows, plain_inputs(data, rows, crops, spec), crops


def plain_inputs(data: TrainingSet, rows: np.ndarray, crops: Crops, spec: InputSpec) -> Tensor:
    """Return the network's inputs of unaugmented crops, or their features where held."""
    if data.features is not None:
        return torch.from_numpy(data.features[rows])
    return network_input(crops.hu, crops.centers, spec)


def cell_share(mask: Tensor, grid: tuple[int, ...], start: float, stride: float) -> Tensor:
    """Return the share of each grid cell that a mask covers.

    Parameters
    ----------
    mask : Tensor, shape (N, *E)
        0 or 1, on the crop at 1 mm.
    grid : tuple of int
        Cells along each axis.
    start, stride : float
        First cell's centre and the step between cells, in samples of the crop.

    Returns
    -------
    Tensor, shape (N, *grid)
        Mean of the mask over a stride-wide window around the centre of each cell.
    """
    axes, n = len(grid), 4
    fine = [start + stride * (torch.arange(g * n) / n - 0.5 + 0.5 / n) for g in grid]
    unit = [(2 * f + 1) / size - 1 for f, size in zip(fine, mask.shape[1:], strict=True)]
    mesh = torch.stack(torch.meshgrid(*unit, indexing="ij")[::-1], dim=-1)
    points = mesh[None].expand(len(mask), *mesh.shape).to(mask.device)
    dense = F.grid_sample(mask[:, None], points, padding_mode="zeros", align_corners=False)
    pool = {2: F.avg_pool2d, 3: F.avg_pool3d}[axes]
    return pool(dense, n)[:, 0]


def relative_share(
    model: PrototypeNet, mask: Tensor, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return :func:`cell_share` on a model's grid, divided by the fullest cell's."""
    scale, field = spec.extent_mm / spec.size, model.trunk.field
    share = cell_share(mask, grid, (field.start + 0.5) * scale - 0.5, field.stride * scale)
    fullest = share.flatten(1).amax(dim=1).clamp_min(1e-6)
    return share / fullest.view(-1, *(1,) * len(grid))


@torch.no_grad()
def project(
    model: PrototypeNet,
    data: TrainingSet,
    labels: np.ndarray,
    spec: InputSpec,
    settings: ProjectionSettings,
    inside: str = "body",
) -> list[PrototypeSource]:
    """Replace every prototype by the nearest own-class latent patch, without duplicates.

    Parameters
    ----------
    model : PrototypeNet
        Changed in place: ``prototypes`` only.
    data : TrainingSet
        Taken unaugmented.
    labels : ndarray of int, shape (N,)
        Class index of every row.
    spec : InputSpec
    settings : ProjectionSettings
    inside : str
        What ``inside_target`` means, as in ``LossSettings``.

    Returns
    -------
    list of PrototypeSource, length P

    Raises
    ------
    ModelError
        If a class has too few different patches for its prototypes.

    Notes
    -----
    Within a class the prototype that is nearest to any patch chooses first. A patch is a
    duplicate of a chosen one if it is of the same subject and under ``apart_cells`` away,
    or if their cosine, centred on the mean of the class's patches, is at least
    ``largest_cosine``.
    """
    model.eval()
    sources: dict[int, PrototypeSource] = {}
    owner = model.prototype_class.cpu().numpy()
    for index in np.unique(owner):
        members = np.flatnonzero(owner == index)
        pool = _latent_pool(model, data, np.flatnonzero(labels == index), spec, settings, inside)
        sources |= _choose(model, members, pool, data, settings)
    return [sources[i] for i in range(len(owner))]


@dataclass(frozen=True, eq=False)
class _Pool:
    """All latent patches of one class: vectors (n, D), rows (n,), cells (n, axes)."""

    vectors: Tensor
    rows: np.ndarray
    cells: np.ndarray


def _latent_pool(
    model: PrototypeNet,
    data: TrainingSet,
    index: np.ndarray,
    spec: InputSpec,
    settings: ProjectionSettings,
    inside: str,
) -> _Pool:
    device = model.prototypes.device
    vectors, rows, cells = [], [], []
    for batch_rows, x, crops in inputs_in_batches(data, index, spec):
        latent = model.latent(x.to(device)).float().cpu()
        grid = tuple(latent.shape[2:])
        keep = torch.ones((len(latent), *grid), dtype=torch.bool)
        mask = inside_mask(crops, inside)
        if settings.inside_target and mask is not None:
            keep = relative_share(model, mask, grid, spec) >= 0.5
        vectors.append(latent.movedim(1, -1)[keep])
        where = keep.nonzero().numpy()
        rows.append(batch_rows[where[:, 0]])
        cells.append(where[:, 1:])
    return _Pool(torch.cat(vectors), np.concatenate(rows), np.concatenate(cells))


def _choose(
    model: PrototypeNet,
    members: np.ndarray,
    pool: _Pool,
    data: TrainingSet,
    settings: ProjectionSettings,
) -> dict[int, PrototypeSource]:
    device = model.prototypes.device
    distance = model.latent_distances(pool.vectors.to(device)[..., None])[..., 0].cpu().numpy()
    centered = F.normalize(pool.vectors - pool.vectors.mean(dim=0), dim=1)
    free = np.ones(len(pool.rows), bool)
    chosen: dict[int, PrototypeSource] = {}
    for prototype in sorted(members, key=lambda p: float(distance[:, p].min())):
        if not free.any():
            raise ModelError(
                f"prototype {prototype} finds no own-class patch that is not a duplicate; "
                "expected one. Use fewer prototypes_per_class or a larger cohort."
            )
        best = int(np.argmin(np.where(free, distance[:, prototype], np.inf)))
        cell = tuple(int(c) for c in pool.cells[best])
        travelled = float(distance[best, prototype])
        chosen[int(prototype)] = PrototypeSource(int(pool.rows[best]), cell, travelled)
        model.prototypes[prototype] = pool.vectors[best].to(device)
        if not settings.allow_duplicates:
            free &= ~_duplicates(pool, centered, best, data, settings)
    return chosen


def _duplicates(
    pool: _Pool, centered: Tensor, best: int, data: TrainingSet, settings: ProjectionSettings
) -> np.ndarray:
    same_subject = data.subjects[pool.rows] == data.subjects[pool.rows[best]]
    gap = np.abs(pool.cells - pool.cells[best]).max(axis=1)
    alike = (centered @ centered[best]).numpy() >= settings.largest_cosine
    result = (same_subject & (gap < settings.apart_cells)) | alike
    result[best] = True
    return result
