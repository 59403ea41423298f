"""ResNet18, ResNet34 and ResNet50 as trunks: an image in, its feature map out."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.errors import ConfigError
from spinexplain.models.receptive import ConvStep, receptive_field
from spinexplain.models.trunks.weights import load_weights

_WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3-wide convolutions beside a shortcut.

    Parameters
    ----------
    in_channels, width, stride : int
    """

    expansion = 1
    kernels = (3, 3)

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, in_channels, *G) to (N, width, *G / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + (self.downsample(x) if self.downsample else x))


class Bottleneck(nn.Module):
    """A 3-wide convolution between two 1-wide ones, beside a shortcut.

    Parameters
    ----------
    in_channels, width, stride : int
        The block's output has 4 x ``width`` channels.

    Notes
    -----
    The stride is in the 3-wide convolution, as in torchvision and unlike the paper.
    """

    expansion = 4
    kernels = (1, 3, 1)

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, in_channels, *G) to (N, 4 x width, *G / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + (self.downsample(x) if self.downsample else x))


Block = type[BasicBlock] | type[Bottleneck]
RESNET_BLOCKS: dict[str, tuple[Block, tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """A residual network without its classifier, up to a stage of choice.

    The names of its tensors are torchvision's, ``layer1.0.conv1.weight`` and so on.

    Parameters
    ----------
    name : str
        A key of ``RESNET_BLOCKS``.
    in_channels : int
        Channels of the input; torchvision's networks have 3.
    stages : int
        Stages kept after the stem, 1 to 4.
    max_stride : int
        Pooling and stages that would coarsen the grid beyond this stride keep it instead;
        32 is the network as published.

    Attributes
    ----------
    channels : int
        Features per cell.
    field : ReceptiveField

    Raises
    ------
    ConfigError
        If the name or the number of stages is not one of those.

    Notes
    -----
    He et al., arXiv:1512.03385.

    Examples
    --------
    >>> ResNet("resnet18").field.size, ResNet("resnet18", stages=2).field.size
    (435, 99)
    """

    def __init__(
        self, name: str, in_channels: int = 3, stages: int = 4, max_stride: int = 32
    ) -> None:
        super().__init__()
        if name not in RESNET_BLOCKS:
            raise ConfigError(f'there is no ResNet "{name}"; expected {sorted(RESNET_BLOCKS)}.')
        if not 1 <= stages <= 4:
            raise ConfigError(f"{name} has 4 stages; got stages = {stages}. Keep 1 to 4 of them.")
        block, counts = RESNET_BLOCKS[name]
        self.stages = stages
        pooling = 2 if max_stride >= 4 else 1
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, pooling, padding=1)
        steps = [ConvStep(7, 2, 3), ConvStep(3, pooling, 1)]
        channels, grid_stride = 64, 2 * pooling
        for index, (count, width) in enumerate(zip(counts[:stages], _WIDTHS, strict=False)):
            stride = 2 if index and grid_stride * 2 <= max_stride else 1
            layer = _stage(block, channels, width, count, stride)
            self.add_module(f"layer{index + 1}", layer)
            steps += _stage_steps(block, count, stride)
            channels, grid_stride = width * block.expansion, grid_stride * stride
        self.channels = channels
        self.field = receptive_field(steps)
        self._initialize()

    def _initialize(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, in_channels, H, W) to features (N, channels, *G)."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for index in range(self.stages):
            x = self.get_submodule(f"layer{index + 1}")(x)
        return x

    def load_torchvision(self, path: str | Path, scaled: bool = True) -> None:
        """Load torchvision's weights of the same network from a file, in place.

        ``scaled`` is what :func:`~spinexplain.models.trunks.weights.widened` does with further
        input channels.

        Raises
        ------
        ModelError
            If the file is not readable as weights, or not of this network.
        """
        beyond = tuple(f"layer{index}." for index in range(self.stages + 1, 5))
        load_weights(self, path, stem="conv1.weight", ignored=("fc.", *beyond), scaled=scaled)


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


def _stage(block: Block, in_channels: int, width: int, count: int, stride: int) -> nn.Sequential:
    first = block(in_channels, width, stride)
    rest = [block(width * block.expansion, width, 1) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)


def _stage_steps(block: Block, count: int, stride: int) -> list[ConvStep]:
    """List the steps along the longest way through a stage."""
    steps = [ConvStep(kernel, 1, kernel // 2) for _ in range(count) for kernel in block.kernels]
    at = block.kernels.index(3)
    steps[at] = ConvStep(3, stride, 1)
    return steps
