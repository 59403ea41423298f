"""Projection (push): every prototype becomes a latent patch of a training vertebra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec, ProjectionSettings
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ModelError
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import batch_size, network_input
from spinexplain.train.grading.augment import Crops, inside_mask, plain_crops
from spinexplain.train.grading.cells import share_on_grid
from spinexplain.train.grading.part_targets import LIT, placed_targets

_VALUES_AT_ONCE = 2**19  # 2 MiB
_CANDIDATES = 256


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
    for rows in _batches(index, spec):
        crops = plain_crops(data, rows, spec)
        yield rows, plain_inputs(data, rows, crops, spec), crops


def plain_batches(data: TrainingSet, index: np.ndarray, spec: InputSpec) -> Iterator[Tensor]:
    """Yield the inputs of :func:`inputs_in_batches` alone; held features need no crop cut."""
    unmasked = replace(data, target=None, evidence=None)
    for rows in _batches(index, spec):
        if data.features is not None:
            yield torch.from_numpy(data.features[rows])
        else:
            crops = plain_crops(unmasked, rows, spec)
            yield network_input(crops.hu, crops.centers, spec)


def _batches(index: np.ndarray, spec: InputSpec) -> Iterator[np.ndarray]:
    batch = batch_size(spec)
    for start in range(0, len(index), batch):
        yield index[start : start + batch]


def plain_inputs(
    data: TrainingSet, rows: np.ndarray, crops: Crops | None, spec: InputSpec
) -> Tensor:
    """Return the network's inputs of unaugmented crops, or their features where held."""
    if data.features is not None:
        return torch.from_numpy(data.features[rows])
    assert crops is not None
    return network_input(crops.hu, crops.centers, spec)


def relative_share(
    model: PrototypeNet, mask: Tensor, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return :func:`~spinexplain.train.grading.cells.share_on_grid` for a model's grid."""
    return share_on_grid(model.trunk.field, mask, grid, spec)


@torch.no_grad()
def project(
    model: PrototypeNet,
    data: TrainingSet,
    labels: np.ndarray,
    spec: InputSpec,
    settings: ProjectionSettings,
    inside: str = "body",
    bans: Bans | None = None,
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
    bans : Bans, optional
        Patches that are not to be taken.

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
        rows = np.flatnonzero(labels == index)
        pool = class_pool(model, data, rows, members, spec, settings, inside, bans)
        sources |= choose_patches(model, members, pool, settings)
    return [sources[i] for i in range(len(owner))]


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
        for maps in _in_cache(pool.maps)
    ]
    return (torch.cat(parts) >= largest_cosine).numpy()


def pool_mean(pool: LatentPool) -> Tensor:
    """Return the mean of the kept patches of a pool, (D,)."""
    kept = torch.from_numpy(pool.keep).to(pool.maps.dtype)
    total = torch.zeros(pool.maps.shape[1:])
    start = 0
    for maps in _in_cache(pool.maps):
        keep = kept[start : start + len(maps)]
        total += (maps * keep[:, None]).sum(dim=0)
        start += len(maps)
    return total.sum(dim=1) / kept.sum()


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
def choose_patches(
    model: PrototypeNet, members: np.ndarray, pool: LatentPool, settings: ProjectionSettings
) -> dict[int, PrototypeSource]:
    """Put every prototype of a class on its nearest patch of the pool, in place.

    Parameters
    ----------
    model : PrototypeNet
    members : ndarray of int, shape (M,)
        The prototypes of the class.
    pool : LatentPool
    settings : ProjectionSettings

    Returns
    -------
    dict of int to PrototypeSource

    Raises
    ------
    ModelError
        If there are too few different patches.
    """
    distance = _distances(model, members, pool)
    distance[:, ~pool.keep] = np.inf
    if pool.own_cells is not None:
        distance[~pool.own_cells] = np.inf
    taken = _Taken(pool, settings)
    chosen: dict[int, PrototypeSource] = {}
    for nearest in np.argsort(distance.reshape(len(members), -1).min(axis=1), kind="stable"):
        prototype = int(members[nearest])
        found = taken.next(distance[nearest])
        if found is None:
            raise ModelError(
                f"prototype {prototype} finds no own-class patch that is not a duplicate and in "
                "its part; "
                "expected one. Use fewer prototypes_per_class or a larger cohort."
            )
        image, place = found
        cell = tuple(int(c) for c in np.unravel_index(place, pool.grid))
        travelled = float(distance[nearest, image, place])
        chosen[prototype] = PrototypeSource(int(pool.rows[image]), cell, travelled)
        model.prototypes[prototype] = pool.maps[image, :, place].to(model.prototypes.device)
    return chosen


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
    for rows in _batches(pool.rows, spec):
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
    for rows in _batches(index, spec):
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
    return None if mask is None else relative_share(model, mask, grid, spec)


def _in_cache(maps: Tensor) -> Iterator[Tensor]:
    """Yield some maps at a time, so few that what is computed of them stays in the cache."""
    yield from maps.split(max(_VALUES_AT_ONCE // maps[0].numel(), 1))


def _distances(model: PrototypeNet, members: np.ndarray, pool: LatentPool) -> np.ndarray:
    """Return the distance of every cell to every member, float32, shape (M, n, cells)."""
    own = model.prototypes[torch.as_tensor(members)].cpu()
    parts = [model.distances_to(own, maps) for maps in _in_cache(pool.maps)]
    return torch.cat(parts).movedim(1, 0).contiguous().numpy()


class _Taken:
    """The patches of a pool that are taken, and the nearest that is no duplicate of one.

    Only as many patches are compared as it takes to find one that differs.
    """

    def __init__(self, pool: LatentPool, settings: ProjectionSettings) -> None:
        self._pool, self._settings = pool, settings
        self._cells = np.indices(pool.grid).reshape(len(pool.grid), -1).T
        self._taken: list[tuple[int, int]] = []

    def next(self, distance: np.ndarray) -> tuple[int, int] | None:
        """Take the nearest free patch by distances (n, cells); None if there is none."""
        flat = distance.ravel()
        if self._settings.allow_duplicates or not self._taken:
            order = np.array([flat.argmin()])
        else:
            order = np.argsort(flat, kind="stable")
        for start in range(0, len(order), _CANDIDATES):
            some = order[start : start + _CANDIDATES]
            free = some[np.isfinite(flat[some]) & ~self._duplicates(some)]
            if len(free):
                image, place = divmod(int(free[0]), distance.shape[1])
                self._taken.append((image, place))
                return image, place
        return None

    @cached_property
    def _mean(self) -> Tensor:
        return pool_mean(self._pool)

    def _duplicates(self, flat: np.ndarray) -> np.ndarray:
        if self._settings.allow_duplicates or not self._taken:
            return np.zeros(len(flat), bool)
        images, places = np.divmod(flat, len(self._cells))
        unit = self._centered(images, places)
        result = np.zeros(len(flat), bool)
        for image, place in self._taken:
            gap = np.abs(self._cells[places] - self._cells[place]).max(axis=1)
            same = self._pool.subjects[images] == self._pool.subjects[image]
            alike = (unit @ self._centered(np.array([image]), np.array([place]))[0]).numpy()
            result |= (same & (gap < self._settings.apart_cells)) | (
                alike >= self._settings.largest_cosine
            )
            result |= (images == image) & (places == place)
        return result

    def _centered(self, images: np.ndarray, places: np.ndarray) -> Tensor:
        vectors = self._pool.maps[torch.from_numpy(images), :, torch.from_numpy(places)]
        return F.normalize(vectors - self._mean, dim=1)
