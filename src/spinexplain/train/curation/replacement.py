"""Rejected prototypes put on the next nearest patch of their class that is another one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ModelError
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.train.grading.latent_pool import Bans, LatentPool, class_pool, resembling
from spinexplain.train.grading.projection import PrototypeSource


@torch.no_grad()
def replace_prototypes(
    model: PrototypeNet,
    data: TrainingSet,
    labels: np.ndarray,
    config: TrainConfig,
    rejected: Sequence[int],
    bans: Bans,
) -> dict[int, PrototypeSource]:
    """Put every rejected prototype on another patch of its class, in place.

    Parameters
    ----------
    model : PrototypeNet
        Changed in place: ``prototypes`` of ``rejected`` only.
    data : TrainingSet
    labels : ndarray of int, shape (N,)
        Class of every row; -1 for rows that no prototype may come from.
    config : TrainConfig
    rejected : sequence of int
        Counted from 0.
    bans : Bans
        What none may become; the rejected patches are among it.

    Returns
    -------
    dict of int to PrototypeSource
        Where each rejected prototype comes from now.

    Raises
    ------
    ModelError
        If there is no such patch.

    Notes
    -----
    The nearest patch to the rejected one (squared L2 distance of latent patches) of the same
    class, and of the same part where prototypes have parts, that neither resembles a forbidden
    patch nor any prototype of the class.
    """
    model.eval()
    chosen: dict[int, PrototypeSource] = {}
    owner = model.prototype_class.cpu().numpy()
    for index in np.unique(owner[list(rejected)]):
        members = np.array([i for i in rejected if owner[i] == index])
        rows = np.flatnonzero(labels == index)
        if not len(rows):
            raise ModelError(
                f"the cohort has no crop of class {config.classes[index]} that a prototype may "
                "come from; expected some. Name a larger --cohort."
            )
        pool = class_pool(
            model, data, rows, members, config.input, config.projection, config.loss.inside, bans
        )
        fixed = [int(i) for i in np.flatnonzero(owner == index) if i not in set(rejected)]
        for place, prototype in enumerate(members):
            chosen[int(prototype)] = _put(model, pool, place, int(prototype), fixed, config)
            fixed.append(int(prototype))
    return chosen


def _put(
    model: PrototypeNet,
    pool: LatentPool,
    place: int,
    prototype: int,
    fixed: Sequence[int],
    config: TrainConfig,
) -> PrototypeSource:
    """Put one prototype on its nearest free patch."""
    own = model.prototypes[prototype : prototype + 1].cpu()
    distance = torch.cat([model.distances_to(own, m) for m in pool.maps.split(64)])[:, 0].numpy()
    free = pool.keep.copy()
    if pool.own_cells is not None:
        free &= pool.own_cells[place]
    taken = model.prototypes[list(fixed)].cpu()
    free &= ~resembling(pool, taken, config.projection.largest_cosine)
    if not free.any():
        raise ModelError(
            f"prototype {prototype + 1} finds no other patch of its class that is neither "
            "forbidden nor like another prototype; expected one. Use --remove, or a larger "
            "--cohort."
        )
    at = int(np.where(free, distance, np.inf).argmin())
    image, cell = divmod(at, distance.shape[1])
    model.prototypes[prototype] = pool.maps[image, :, cell].to(model.prototypes.device)
    return PrototypeSource(
        int(pool.rows[image]),
        tuple(int(c) for c in np.unravel_index(cell, pool.grid)),
        float(distance[image, cell]),
    )
