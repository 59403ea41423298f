"""A small 3-D U-Net that says where the spine runs in a whole scan at 4 mm."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.models.localizing import REGIONS
from spinexplain.models.residual import Residual3d, convolution3d
from spinexplain.models.trunks.unet3d import SpaceToDepth

_BLOCK = 2


class CurveNetwork(nn.Module):
    """Regions of the spine on a grid of 4 mm.

    Blocks of two voxels a side become channels, so that the convolutions run at 8, 16 and
    32 mm; the answer is unfolded to 4 mm again.

    Parameters
    ----------
    widths : tuple of 3 ints
        Channels at 8, 16 and 32 mm.

    Examples
    --------
    >>> import torch
    >>> net = CurveNetwork((8, 8, 8)).eval()
    >>> net(torch.zeros(1, 1, 16, 8, 24)).shape
    torch.Size([1, 4, 16, 8, 24])
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 96)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(SpaceToDepth(_BLOCK), convolution3d(_BLOCK**3, fine))
        self.fine = Residual3d(fine)
        self.down = nn.ModuleList(
            [convolution3d(fine, middle, 2), convolution3d(middle, coarse, 2)]
        )
        self.middle = Residual3d(middle)
        self.coarse = nn.Sequential(Residual3d(coarse), Residual3d(coarse))
        self.lateral = nn.ModuleList([nn.Conv3d(middle, fine, 1), nn.Conv3d(coarse, middle, 1)])
        self.up_middle, self.up_fine = Residual3d(middle), Residual3d(fine)
        self.answer = nn.Conv3d(fine, len(REGIONS) * _BLOCK**3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map densities (N, 1, X, Y, Z) to logits (N, 4, X, Y, Z); see ``REGIONS``."""
        fine = self.fine(self.stem(x))
        middle = self.middle(self.down[0](fine))
        coarse = self.coarse(self.down[1](middle))
        middle = self.up_middle(middle + _doubled(self.lateral[1](coarse)))
        fine = self.up_fine(fine + _doubled(self.lateral[0](middle)))
        return _unfolded(self.answer(fine))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _unfolded(x: Tensor) -> Tensor:
    """Spread channels over blocks of voxels: (N, C x 8, *S) to (N, C, *2 S)."""
    n, _, a, b, c = x.shape
    x = x.reshape(n, len(REGIONS), _BLOCK, _BLOCK, _BLOCK, a, b, c)
    x = x.permute(0, 1, 5, 2, 6, 3, 7, 4)
    return x.reshape(n, len(REGIONS), a * _BLOCK, b * _BLOCK, c * _BLOCK)
