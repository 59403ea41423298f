"""What a clinician forbids, as latent patches: a prototype's own cell, or what was painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.models.bundle.decisions import CELL_MM, Decision
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import ReceptiveField


@dataclass(frozen=True, eq=False)
class Places:
    """Some cells of some crops.

    Parameters
    ----------
    x : Tensor, shape (F, C, *size)
        Inputs of the network.
    cells : Tensor of bool, shape (F, *G)
        At least one in every crop.
    prototypes : tuple of int, length F
        Whose crop each is.
    """

    x: Tensor
    cells: Tensor
    prototypes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.x)

    def vectors(self, model: PrototypeNet) -> Tensor:
        """Return what a model makes of the cells today, (Q, D)."""
        if not len(self):
            return model.prototypes.detach()[:0]
        latent = model.latent(self.x.to(model.prototypes.device))
        return latent.movedim(1, -1)[self.cells.to(latent.device)]


@torch.no_grad()
def places_of(grader: Grader, model: PrototypeNet, decisions: Sequence[Decision]) -> Places:
    """Find the cells that decisions are about, in the crops that the bundle holds.

    Parameters
    ----------
    grader : Grader
        With the exemplars of ``model``.
    model : PrototypeNet
    decisions : sequence of Decision

    Returns
    -------
    Places
        The painted cells of ``"never this region"``, otherwise the cell that the prototype is.

    Raises
    ------
    ModelError
        If the bundle withholds the pixels of a crop.
    """
    chosen = [one.prototype - 1 for one in decisions]
    exemplars = [grader.exemplars[index] for index in chosen]
    for one, exemplar in zip(decisions, exemplars, strict=True):
        if exemplar.array is None:
            raise ModelError(
                f"the pixels behind {one.name} are withheld from this bundle; expected its crop. "
                "Use --remove or --replace without painted regions, or a bundle with pixels."
            )
    spec = grader.spec
    if not chosen:
        size = (spec.size,) * spec.axes
        empty = torch.zeros((0, len(spec.channels), *size))
        return Places(empty, torch.zeros((0, *grid_of(model, empty)), dtype=torch.bool), ())
    hu = torch.from_numpy(np.stack([np.asarray(one.array, np.float32) for one in exemplars]))
    middle = torch.full((len(hu), spec.axes), (hu.shape[1] - 1) / 2)
    x = network_input(hu, middle, spec)
    grid = grid_of(model, x)
    cells = torch.zeros((len(hu), *grid), dtype=torch.bool)
    for row, (one, exemplar) in enumerate(zip(decisions, exemplars, strict=True)):
        cells[row] = _cells(one, exemplar.cell, grid, model.trunk.field, spec)
    return Places(x, cells, tuple(chosen))


def grid_of(model: PrototypeNet, x: Tensor) -> tuple[int, ...]:
    """Return the cells along each axis of what a model makes of inputs (N, C, *size)."""
    one = torch.zeros((1, *x.shape[1:]), device=model.prototypes.device)
    with torch.no_grad():
        return tuple(model.trunk(one).shape[2:])


def _cells(
    decision: Decision,
    cell: tuple[int, ...],
    grid: tuple[int, ...],
    field: ReceptiveField,
    spec: InputSpec,
) -> Tensor:
    if not decision.region:
        own = torch.zeros(grid, dtype=torch.bool)
        own[tuple(cell)] = True
        return own
    painted = np.array([[mark == "1" for mark in row] for row in decision.region])
    return torch.from_numpy(cells_under(painted, grid, field, spec))


def cells_under(
    painted: np.ndarray, grid: tuple[int, ...], field: ReceptiveField, spec: InputSpec
) -> np.ndarray:
    """Return which cells of a network's grid lie under a painted region.

    Parameters
    ----------
    painted : ndarray of bool, shape (rows, columns)
        A sample for 4 mm of the crop.
    grid : tuple of 2 ints
    field : ReceptiveField
        Of a cell.
    spec : InputSpec

    Returns
    -------
    ndarray of bool, shape (*grid)
        Cells of whose own square (a stride wide) at least half is painted; where there is none,
        the cell with the most paint.

    Examples
    --------
    >>> painted = np.zeros((4, 4), bool)
    >>> painted[:2, :2] = True
    >>> spec = InputSpec(extent_mm=16, size=16)
    >>> cells_under(painted, (2, 2), ReceptiveField(8, 8, 3.5), spec).astype(int).tolist()
    [[1, 0], [0, 0]]
    """
    rows, columns = (
        _overlaps(painted.shape[axis], grid[axis], field, spec) for axis in range(painted.ndim)
    )
    shares = rows @ painted.astype(float) @ columns.T
    return shares >= min(0.5, float(shares.max()))


def _overlaps(marks: int, cells: int, field: ReceptiveField, spec: InputSpec) -> np.ndarray:
    """Return which share of each cell's stretch lies in each painted stretch, (cells, marks)."""
    mm = spec.extent_mm / spec.size
    middle = (field.start + field.stride * np.arange(cells) + 0.5)[:, None] * mm
    half = field.stride * mm / 2
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half, spec.extent_mm)
    start = CELL_MM * np.arange(marks)[None]
    shared = np.minimum(high, start + CELL_MM) - np.maximum(low, start)
    return np.maximum(shared, 0) / np.maximum(high - low, 1e-9)
