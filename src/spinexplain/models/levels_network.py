"""A network that reads the straightened spine: centers, discs and levels along it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.models.localizing import LEVELS, SECTION_SHAPE

_DEPTH = 5
_MOMENTUM = 0.05


class LevelsNetwork(nn.Module):
    """Centers, discs, offsets and levels every 2 mm along the spine.

    Convolutions in space collapse the plane (112 x 120 mm, wide enough for the heads and
    necks of the ribs), then a U-Net in one dimension looks along the whole spine.

    Parameters
    ----------
    widths : tuple of 4 ints
        Channels after each halving of the plane.
    along : int
        Channels of the U-Net.

    Examples
    --------
    >>> import torch
    >>> net = LevelsNetwork((4, 4, 4, 4), 8).eval()
    >>> net(torch.zeros(1, 1, 32, *SECTION_SHAPE)).shape
    torch.Size([1, 33, 32])
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (16, 32, 64, 96), along: int = 96
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.plane = nn.Sequential(
            _halving(1, first),
            _halving(first, second),
            _Residual(second),
            _halving(second, third),
            _Residual(third),
            _halving(third, fourth),
        )
        cells = 1
        for side in SECTION_SHAPE:
            for _ in widths:
                side = -(-side // 2)
            cells *= side
        self.collapse = nn.Sequential(nn.Conv1d(fourth * cells, along, 1), nn.ReLU(inplace=True))
        self.encoders = nn.ModuleList([_pair(along) for _ in range(_DEPTH)])
        self.down = nn.ModuleList([_line(along, 2) for _ in range(_DEPTH - 1)])
        self.decoders = nn.ModuleList([_line(along) for _ in range(_DEPTH - 1)])
        self.answer = nn.Conv1d(along, LEVELS.stop, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map densities (N, 1, S, 56, 60) to answers (N, 33, S), S positions along the spine."""
        x = self.plane(x)
        n, channels, positions, back, left = x.shape
        x = x.permute(0, 1, 3, 4, 2).reshape(n, channels * back * left, positions)
        x = self.collapse(x)
        skipped = []
        for depth, encoder in enumerate(self.encoders):
            x = encoder(x)
            if depth < _DEPTH - 1:
                skipped.append(x)
                x = self.down[depth](x)
        for decoder, before in zip(self.decoders, reversed(skipped), strict=True):
            x = decoder(F.interpolate(x, scale_factor=2.0, mode="nearest") + before)
        answer: Tensor = self.answer(x)
        return answer


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width, momentum=_MOMENTUM),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.layers(x))


def _halving(before: int, width: int) -> nn.Sequential:
    """Halve the plane and keep every position along the spine."""
    return nn.Sequential(
        nn.Conv3d(before, width, 3, (1, 2, 2), 1, bias=False),
        nn.BatchNorm3d(width, momentum=_MOMENTUM),
        nn.ReLU(inplace=True),
    )


def _line(width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(width, width, 5, stride, 2, bias=False),
        nn.BatchNorm1d(width, momentum=_MOMENTUM),
        nn.ReLU(inplace=True),
    )


def _pair(width: int) -> nn.Sequential:
    return nn.Sequential(_line(width), _line(width))
