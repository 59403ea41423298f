"""A small 3-D U-Net that paints one vertebral body, and its neighbors, in an oriented crop."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.models.residual import Residual3d, convolution3d

OWN, OTHERS = 0, 1
"""Channels of the answer: logits of the body at the center, and of any other body."""

BODY_STRIDE = 8
"""Every side of an input is a multiple of this many samples."""

WIDTHS = (12, 24, 48, 96)
"""Channels at 1.25, 2.5, 5 and 10 mm."""


class BodyNetwork(nn.Module):
    """Which samples of a crop lie in the body at its center, and which in another body.

    Parameters
    ----------
    widths : sequence of int
        Channels at each resolution, the finest first; each is half the one before.

    Examples
    --------
    >>> import torch
    >>> net = BodyNetwork((4, 4, 4, 4)).eval()
    >>> net(torch.zeros(1, 1, 8, 16, 16)).shape
    torch.Size([1, 2, 8, 16, 16])
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        finest, steps = widths[0], list(pairwise(widths))
        self.stem = nn.Sequential(convolution3d(1, finest), convolution3d(finest, finest))
        self.down = nn.ModuleList([convolution3d(above, below, 2) for above, below in steps])
        self.encoders = nn.ModuleList([Residual3d(width) for width in widths[1:]])
        self.lateral = nn.ModuleList([nn.Conv3d(below, above, 1) for above, below in steps])
        self.decoders = nn.ModuleList(
            [convolution3d(finest, finest), *[Residual3d(width) for width in widths[1:-1]]]
        )
        self.answer = nn.Conv3d(finest, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map densities (N, 1, *S) to logits (N, 2, *S); see :func:`as_bone_contrast`."""
        x = self.stem(x)
        skipped = []
        for down, encoder in zip(self.down, self.encoders, strict=True):
            skipped.append(x)
            x = encoder(down(x))
        for lateral, decoder, before in reversed(
            list(zip(self.lateral, self.decoders, skipped, strict=True))
        ):
            x = decoder(F.interpolate(lateral(x), scale_factor=2.0, mode="nearest") + before)
        answer: Tensor = self.answer(x)
        return answer
