"""Projection (push): every prototype becomes a latent patch of a training vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec, ProjectionSettings
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ModelError
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.grading.latent_pool import Bans, LatentPool, class_pool, in_cache, pool_mean

_CANDIDATES = 256


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


def _distances(model: PrototypeNet, members: np.ndarray, pool: LatentPool) -> np.ndarray:
    """Return the distance of every cell to every member, float32, shape (M, n, cells)."""
    own = model.prototypes[torch.as_tensor(members)].cpu()
    parts = [model.distances_to(own, maps) for maps in in_cache(pool.maps)]
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
