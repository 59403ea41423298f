"""The 3-D blocks that the localizer's networks are made of."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_MOMENTUM = 0.05  # of BatchNorm: batches of few crops


class Residual3d(nn.Module):
    """Two convolutions beside an identity.

    Examples
    --------
    >>> import torch
    >>> Residual3d(4).eval()(torch.zeros(1, 4, 2, 3, 5)).shape
    torch.Size([1, 4, 2, 3, 5])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution3d(width, width)
        self.second = nn.Conv3d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(width, momentum=_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, *S) to the same shape."""
        return F.relu(x + self.norm(self.second(self.first(x))))


def convolution3d(before: int, width: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution of 3 x 3 x 3 with BatchNorm and ReLU.

    It maps (N, ``before``, *S) to (N, ``width``, *S / ``stride``), rounded up.
    """
    return nn.Sequential(
        nn.Conv3d(before, width, 3, stride, 1, bias=False),
        nn.BatchNorm3d(width, momentum=_MOMENTUM),
        nn.ReLU(inplace=True),
    )
