"""How much of each cell of a network's grid a mask covers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.config.training import InputSpec
from spinexplain.models.receptive import ReceptiveField


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


def covered_cells(
    field: ReceptiveField, mask: Tensor, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return :func:`cell_share` for a grid whose cells see ``field``."""
    scale = spec.extent_mm / spec.size
    return cell_share(mask, grid, (field.start + 0.5) * scale - 0.5, field.stride * scale)


def share_on_grid(
    field: ReceptiveField, mask: Tensor, grid: tuple[int, ...], spec: InputSpec
) -> Tensor:
    """Return :func:`covered_cells`, divided by the fullest cell's."""
    share = covered_cells(field, mask, grid, spec)
    fullest = share.flatten(1).amax(dim=1).clamp_min(1e-6)
    return share / fullest.view(-1, *(1,) * len(grid))
