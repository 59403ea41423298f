"""A plain trunk on a fine grid: its middle stage twice as dense, joined with the rest."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseStages(nn.Sequential):
    """The layers of a plain trunk, read out at half its last stride.

    Weights and their names are those of the plain trunk, so that either can start from the
    other. The first stage at the last stride runs without its stride and with its second
    convolution dilated (a trous): on every second cell it gives exactly what it gave before,
    and between them what it would have given on a shifted image. The stages after it see
    every second cell, as ever; what they give is interpolated. Joined are wide field, fine
    grid and the stage before.

    Parameters
    ----------
    layers : sequence of nn.Module
        Convolution, normalization, ReLU, six layers a stage.
    dense_stage : int
        Number of the first stage at the last stride.
    """

    def __init__(self, *layers: nn.Module, dense_stage: int) -> None:
        super().__init__(*layers)
        self._first, self._behind = 6 * dense_stage, 6 * (dense_stage + 1)
        opening, second = self[self._first], self[self._first + 3]
        assert isinstance(opening, nn.Conv2d | nn.Conv3d)
        assert isinstance(second, nn.Conv2d | nn.Conv3d)
        axes = len(opening.stride)
        opening.stride = (1,) * axes
        second.dilation = second.padding = (2,) * axes

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (N, C, *size) to features of all three kinds (N, channels, *G)."""
        layers = list(self)
        for layer in layers[: self._first]:
            x = layer(x)
        near = x
        for layer in layers[self._first : self._behind]:
            x = layer(x)
        dense = x
        x = every_second(dense)
        for layer in layers[self._behind :]:
            x = layer(x)
        return torch.cat([between(x, near.shape[2:]), dense, near], dim=1)


def every_second(maps: Tensor) -> Tensor:
    """Take every second cell along each spatial axis."""
    return maps[:, :, ::2, ::2] if maps.ndim == 4 else maps[:, :, ::2, ::2, ::2]


def between(maps: Tensor, grid: torch.Size) -> Tensor:
    """Interpolate maps linearly onto twice as many cells; cell k comes to lie on cell 2k.

    Parameters
    ----------
    maps : Tensor, shape (N, C, *G)
    grid : torch.Size
        Cells wanted along each axis, 2 G or 2 G - 1; beyond the last known cell its value.

    Examples
    --------
    >>> between(torch.tensor([[[[0.0, 2.0]]]]), torch.Size([1, 4])).tolist()
    [[[[0.0, 1.0, 2.0, 2.0]]]]
    """
    mode = "bilinear" if maps.ndim == 4 else "trilinear"
    size = [2 * n - 1 for n in maps.shape[2:]]
    fine = F.interpolate(maps, size=size, mode=mode, align_corners=True)
    missing = [wanted - have for wanted, have in zip(grid, size, strict=True)]
    return F.pad(fine, [m for after in reversed(missing) for m in (0, after)], mode="replicate")
