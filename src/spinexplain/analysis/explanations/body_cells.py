"""The mean feature around which cosines of prototypes are taken: that of cells inside bodies.

Around the mean of all cells, most of which are no bone, the prototypes of any model are alike;
around their own mean they are not for any set that differs at all. The mean of the cells in
bodies hangs on no prototype, and sets models apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

_POOL: dict[int, Any] = {2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_INSIDE = 0.5


def cells_inside(bodies: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Return which cells of a grid lie more than half in the body, bool, shape (n, *grid).

    Parameters
    ----------
    bodies : Tensor, shape (n, *S)
        Masks of the body on crops that the grid divides evenly.
    grid : tuple of int
        Cells along each axis.

    Examples
    --------
    >>> import torch
    >>> cells_inside(torch.tensor([[[1, 1, 1, 0], [1, 1, 0, 0]]]), (1, 2)).tolist()
    [[[True, False]]]
    """
    return _POOL[len(grid)](bodies[:, None].float(), grid)[:, 0] > _INSIDE


def mean_features(batches: Iterable[tuple[Tensor, Tensor]]) -> dict[str, np.ndarray]:
    """Return the mean feature of all cells and of those inside bodies.

    Parameters
    ----------
    batches : iterable of (Tensor, Tensor)
        Features (n, D, *G) of some crops, and the masks (n, *S) of their bodies.

    Returns
    -------
    dict of str to ndarray of float, shape (D,)
        ``"all_cells"`` and ``"body_cells"``, NaN where no cell lies in a body.

    Examples
    --------
    >>> import torch
    >>> features, body = torch.tensor([[[[2.0, 6.0]]]]), torch.tensor([[[0, 1]]])
    >>> {name: mean.tolist() for name, mean in mean_features([(features, body)]).items()}
    {'all_cells': [4.0], 'body_cells': [6.0]}
    """
    total: dict[str, np.ndarray | float] = {"all_cells": 0.0, "body_cells": 0.0}
    count = {"all_cells": 0, "body_cells": 0}
    for features, bodies in batches:
        inside = cells_inside(bodies, tuple(features.shape[2:])).numpy()
        cells = features.movedim(1, -1).numpy()
        for name, chosen in (("all_cells", np.ones_like(inside)), ("body_cells", inside)):
            total[name] = total[name] + cells[chosen].sum(axis=0, dtype=np.float64)
            count[name] += int(chosen.sum())
    with np.errstate(invalid="ignore"):
        return {name: np.asarray(total[name]) / np.float64(count[name]) for name in total}
