"""DenseNet121 as a trunk: an image in, its feature map out."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.errors import ConfigError
from spinexplain.models.receptive import ConvStep, receptive_field
from spinexplain.models.trunks.weights import load_weights

_COUNTS = (6, 12, 24, 16)
_GROWTH = 32
_BOTTLENECK = 4 * _GROWTH


class DenseLayer(nn.Module):
    """Compute 32 new features from all earlier ones, and put them behind these.

    Parameters
    ----------
    in_channels : int
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, _BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(_BOTTLENECK)
        self.conv2 = nn.Conv2d(_BOTTLENECK, _GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, in_channels, *G) to (N, in_channels + 32, *G)."""
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], dim=1)


class DenseNet121(nn.Module):
    """A densely connected network without its classifier, up to a stage of choice.

    The names of its tensors are torchvision's, ``features.denseblock1.denselayer1.norm1``
    and so on; files from before 2018, with ``norm.1``, load too.

    Parameters
    ----------
    in_channels : int
        Channels of the input; torchvision's network has 3.
    stages : int
        Dense blocks kept after the stem, 1 to 4.
    max_stride : int
        Poolings that would coarsen the grid beyond this stride are left out; 32 is the
        network as published.

    Attributes
    ----------
    channels : int
        Features per cell.
    field : ReceptiveField

    Raises
    ------
    ConfigError
        If the number of stages is not one of those.

    Notes
    -----
    Huang et al., arXiv:1608.06993. The map is normalized and rectified: after the last
    block by ``norm5``, after an earlier one by the normalization of the transition that
    follows it.

    Examples
    --------
    >>> trunk = DenseNet121(stages=2)
    >>> trunk.channels, trunk.field.stride
    (512, 8)
    """

    def __init__(self, in_channels: int = 3, stages: int = 4, max_stride: int = 32) -> None:
        super().__init__()
        if not 1 <= stages <= 4:
            raise ConfigError(
                f"densenet121 has 4 stages; got stages = {stages}. Keep 1 to 4 of them."
            )
        self.stages = stages
        pooling = 2 if max_stride >= 4 else 1
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(64),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, pooling, padding=1),
        )
        steps = [ConvStep(7, 2, 3), ConvStep(3, pooling, 1)]
        channels, stride = 64, 2 * pooling
        for index, count in enumerate(_COUNTS[:stages], start=1):
            layers[f"denseblock{index}"] = _dense_block(channels, count)
            steps += [ConvStep(3, 1, 1)] * count
            channels += count * _GROWTH
            if index < stages:
                halve = 2 if stride * 2 <= max_stride else 1
                layers[f"transition{index}"] = _transition(channels, halve)
                steps.append(ConvStep(halve, halve, 0))
                channels, stride = channels // 2, stride * halve
        if stages == len(_COUNTS):
            layers["norm5"] = nn.BatchNorm2d(channels)
        else:
            layers[f"transition{stages}"] = nn.Sequential(
                OrderedDict(norm=nn.BatchNorm2d(channels))
            )
        self.features = nn.Sequential(layers)
        self.channels = channels
        self.field = receptive_field(steps)
        self._initialize()

    def _initialize(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, in_channels, H, W) to features (N, channels, *G)."""
        return F.relu(self.features(x))

    def load_torchvision(self, path: str | Path, scaled: bool = True) -> None:
        """Load torchvision's weights of the same network from a file, in place.

        ``scaled`` is what :func:`~spinexplain.models.trunks.weights.widened` does with further
        input channels.

        Raises
        ------
        ModelError
            If the file is not readable as weights, or not of this network.
        """
        beyond: tuple[str, ...] = ()
        if self.stages < len(_COUNTS):
            later = range(self.stages + 1, len(_COUNTS) + 1)
            blocks = [
                f"features.{part}{i}." for part in ("denseblock", "transition") for i in later
            ]
            beyond = (*blocks, f"features.transition{self.stages}.conv.", "features.norm5.")
        load_weights(
            self,
            path,
            stem="features.conv0.weight",
            ignored=("classifier.", *beyond),
            rename=modern_name,
            scaled=scaled,
        )


def modern_name(key: str) -> str:
    """Return the name that torchvision gives a dense layer's tensor today.

    Examples
    --------
    >>> modern_name("features.denseblock1.denselayer2.norm.1.weight")
    'features.denseblock1.denselayer2.norm1.weight'
    """
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", key)


def _dense_block(in_channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            (f"denselayer{i + 1}", DenseLayer(in_channels + i * _GROWTH)) for i in range(count)
        )
    )


def _transition(in_channels: int, pooling: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(in_channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(in_channels, in_channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(pooling),
        )
    )
