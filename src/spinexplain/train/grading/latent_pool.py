"""The latent patches of a class, and which of them a prototype may become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec, ProjectionSettings
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.grading.augment import Crops, inside_mask, plain_crops
from spinexplain.train.grading.cells import share_on_grid
from spinexplain.train.grading.part_targets import LIT, placed_targets
from spinexplain.train.grading.plain_inputs import plain_inputs, row_batches

_VALUES_AT_ONCE = 2**19  # 2 MiB


@dataclass(frozen=True, eq=False)
class Bans:
    """What no prototype, or not each, may become.

    Parameters
    ----------
    forbidden : Tensor, shape (F, D)
        Latent patches; whatever resembles one of them is left out of the pool.
    largest_cosine : float
        From which cosine, centered on the mean of the class's patches, a patch resembles one.
    confined : tuple of int
        Prototypes that may come from inside the target only, where masks are known.
    """

    forbidden: Tensor
    largest_cosine: float
    confined: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class LatentPool:
    """The latent maps of one class.

    Parameters
    ----------
    maps : Tensor of float32, shape (n, D, cells)
        As the network gives them, the cells of the grid in a row.
    grid : tuple of int
        Cells along each axis.
    keep : ndarray of bool, shape (n, cells)
        Cells a prototype may come from.
    rows : ndarray of int, shape (n,)
        Rows of the training set.
    subjects : ndarray of str, shape (n,)
    own_cells : ndarray of bool, shape (M, n, cells), or None
        Cells that lie in the part of each prototype of the class.
    """

    maps: Tensor
    grid: tuple[int, ...]
    keep: np.ndarray
    rows: np.ndarray
    subjects: np.ndarray
    own_cells: np.ndarray | None = None


@torch.no_grad()
def class_pool(
    model: PrototypeNet,
    data: TrainingSet,
    rows: np.ndarray,
    members: np.ndarray,
    spec: InputSpec,
    settings: ProjectionSettings,
    inside: str = "body",
    bans: Bans | None = None,
) -> LatentPool:
    """Return the latent patches of some rows with what each prototype of a class may take.

    Parameters
    ----------
    model : PrototypeNet
    data : TrainingSet
    rows : ndarray of int, shape (n,)
    members : ndarray of int, shape (M,)
        The prototypes that are looked for.
    spec, settings, inside, bans
        As in :func:`project`.
    """
    pool = _latent_pool(model, data, rows, spec, settings, inside)
    if model.parts and data.target is not None:
        pool = replace(pool, own_cells=part_cells(model, data, pool, spec, members))
    if bans is None:
        return pool
    pool = replace(pool, keep=pool.keep & ~resembling(pool, bans.forbidden, bans.largest_cosine))
    confined = np.isin(members, bans.confined)
    if not confined.any() or data.target is None:
        return pool
    inner = _latent_pool(
        model, data, rows, spec, settings.model_copy(update={"inside_target": True}), "body"
    ).keep
    own = np.ones((len(members), *inner.shape), bool) if pool.own_cells is None else pool.own_cells
    own[confined] &= inner
    return replace(pool, own_cells=own)


@torch.no_grad()
def resembling(pool: LatentPool, vectors: Tensor, largest_cosine: float) -> np.ndarray:
    """Return which cells of a pool resemble one of some latent patches, bool, shape (n, cells).

    Parameters
    ----------
    pool : LatentPool
    vectors : Tensor, shape (F, D)
    largest_cosine : float
        Cosine, centered on the pool's mean, from which a cell counts as alike.
    """
    if not len(vectors):
        return np.zeros(pool.keep.shape, bool)
    mean = pool_mean(pool)
    unit = F.normalize(vectors.to(pool.maps.dtype) - mean, dim=1)
    parts = [
        (torch.einsum("fd,ndc->nfc", unit, F.normalize(maps - mean[:, None], dim=1)).amax(dim=1))
        for maps in in_cache(pool.maps)
    ]
    return (torch.cat(parts) >= largest_cosine).numpy()


def pool_mean(pool: LatentPool) -> Tensor:
    """Return the mean of the kept patches of a pool, (D,)."""
    kept = torch.from_numpy(pool.keep).to(pool.maps.dtype)
    total = torch.zeros(pool.maps.shape[1:])
    start = 0
    for maps in in_cache(pool.maps):
        keep = kept[start : start + len(maps)]
        total += (maps * keep[:, None]).sum(dim=0)
        start += len(maps)
    return total.sum(dim=1) / kept.sum()


def part_cells(
    model: PrototypeNet,
    data: TrainingSet,
    pool: LatentPool,
    spec: InputSpec,
    members: np.ndarray,
) -> np.ndarray:
    """Return which cells lie in the part of each prototype, bool, shape (M, n, cells).

    A cell lies in the part where the prototype's target is at least 0.7 of its highest.
    """
    found = []
    for rows in row_batches(pool.rows, spec):
        target = placed_targets(model, plain_crops(data, rows, spec), data, rows, spec, pool.grid)
        own = target[:, torch.as_tensor(members)].flatten(2)
        found.append((own >= LIT) & (own > 0))
    return torch.cat(found).movedim(1, 0).numpy()


def _latent_pool(
    model: PrototypeNet,
    data: TrainingSet,
    index: np.ndarray,
    spec: InputSpec,
    settings: ProjectionSettings,
    inside: str,
) -> LatentPool:
    device = model.prototypes.device
    maps, keeps = [], []
    grid: tuple[int, ...] = ()
    for rows in row_batches(index, spec):
        held = data.features is not None and data.inside_cells is not None
        crops = None if held else plain_crops(data, rows, spec)
        x = plain_inputs(data, rows, crops, spec)
        latent = model.latent(x.to(device)).float().cpu()
        grid = tuple(latent.shape[2:])
        keep = torch.ones((len(latent), *grid), dtype=torch.bool)
        if settings.inside_target:
            share = _inside_share(model, data, rows, crops, inside, spec, grid)
            keep = keep if share is None else share >= 0.5
        maps.append(latent.flatten(2))
        keeps.append(keep.flatten(1))
    return LatentPool(torch.cat(maps), grid, torch.cat(keeps).numpy(), index, data.subjects[index])


def _inside_share(
    model: PrototypeNet,
    data: TrainingSet,
    rows: np.ndarray,
    crops: Crops | None,
    inside: str,
    spec: InputSpec,
    grid: tuple[int, ...],
) -> Tensor | None:
    """Return the cells' shares of the mask: held beside the features, else of the crops."""
    if crops is None:
        return None if data.inside_cells is None else torch.from_numpy(data.inside_cells[rows])
    mask = inside_mask(crops, inside)
    return None if mask is None else share_on_grid(model.trunk.field, mask, grid, spec)


def in_cache(maps: Tensor) -> Iterator[Tensor]:
    """Yield some maps at a time, so few that what is computed of them stays in the cache."""
    yield from maps.split(max(_VALUES_AT_ONCE // maps[0].numel(), 1))
