"""The 3-D fracture detector: an encoder and the head on top."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spinexplain.config.training import HeadSettings, InputSpec
from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.heads.silence import silence_of
from spinexplain.models.inputs import MEMORY_FORMAT
from spinexplain.models.trunks.backbones import Trunk
from spinexplain.models.trunks.unet3d import CompactEncoder3D, UNet3DEncoder

Encoder = Trunk | UNet3DEncoder | CompactEncoder3D

_CONVOLUTIONS = (256, 128, 64, 8)
_LINEAR = (256, 128, 64)


class FractureHead(nn.Module):
    """The detector's head: four convolutions, then three linear layers, to one number.

    Parameters
    ----------
    channels : int
        Features per cell of the encoder.
    grid : int
        Cells along each axis of the feature map.
    dropout : float
        Share of values dropped after every layer: 0.3 in the paper, 0 in its code.
    width : float
        Factor on the channels of every layer; 1 as released.

    Notes
    -----
    As in the released code of Interpretable Vertebral Fracture Diagnosis: instance
    normalization after each convolution and no rectification in between.
    """

    def __init__(self, channels: int, grid: int, dropout: float = 0.0, width: float = 1.0) -> None:
        super().__init__()
        self.convolutions = nn.Sequential()
        for units in _scaled(_CONVOLUTIONS, width):
            self.convolutions.extend(
                [
                    nn.Conv3d(channels, units, 3, padding=1),
                    nn.InstanceNorm3d(units, affine=True),
                    nn.Dropout(dropout),
                ]
            )
            channels = units
        values = channels * grid**3
        self.linear = nn.Sequential()
        for units in _scaled(_LINEAR, width):
            self.linear.extend(
                [
                    nn.Linear(values, units),
                    nn.BatchNorm1d(units),
                    nn.LeakyReLU(),
                    nn.Dropout(dropout),
                ]
            )
            values = units
        self.linear.append(nn.Linear(values, 1))
        self.grid = grid

    def hidden(self, features: Tensor) -> Tensor:
        """Map features (N, channels, grid, grid, grid) to what the last layer sees, (N, H)."""
        if tuple(features.shape[2:]) != (self.grid,) * 3:
            raise ModelError(
                f"the detector's head was built for {self.grid} cells along each axis; got "
                f"{tuple(features.shape[2:])}. Give it boxes of the size it was built for."
            )
        return self.linear[:-1](self.convolutions(features).flatten(1))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, channels, grid, grid, grid) to the log odds of fracture (N,)."""
        return self.log_odds(self.hidden(features))

    def log_odds(self, hidden: Tensor) -> Tensor:
        """Map what the last layer sees (N, H) to the log odds of fracture (N,)."""
        return self.linear[-1](hidden).squeeze(1)


def _scaled(widths: tuple[int, ...], factor: float) -> list[int]:
    return [max(round(width * factor), 1) for width in widths]


class DetectorNet(nn.Module):
    """A 3-D encoder and the fracture head: fractured or not.

    Parameters
    ----------
    trunk : Trunk, UNet3DEncoder or CompactEncoder3D
        With three spatial axes.
    size : int
        Samples along each side of the input; a multiple of the encoder's stride, at least
        two of them.
    dropout : float
    width : float
        Factor on the channels of the head.
    silenced : sequence of int
        Units of the trunk that the head does not listen to.

    Raises
    ------
    ConfigError
        If ``size`` does not fit the encoder's grid.

    Notes
    -----
    The logits are -z/2 and z/2 for the head's log odds z: their softmax is the sigmoid of
    z and their cross-entropy its binary cross-entropy, so that the detector is trained,
    graded and explained like any classifier of two classes.

    Examples
    --------
    >>> net = DetectorNet(CompactEncoder3D(), size=16).eval()
    >>> net(torch.zeros(1, 1, 16, 16, 16)).shape
    torch.Size([1, 2])
    """

    def __init__(
        self,
        trunk: Encoder,
        size: int,
        dropout: float = 0.0,
        width: float = 1.0,
        silenced: Sequence[int] = (),
    ) -> None:
        super().__init__()
        stride = trunk.field.stride
        if size % stride or size < 2 * stride:
            raise ConfigError(
                f"[input] size is {size}; expected a multiple of {stride}, at least {2 * stride}."
            )
        self.trunk = trunk
        self.silence = silence_of(trunk.channels, silenced)
        self.head = FractureHead(trunk.channels, size // stride, dropout, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map boxes (N, C, size, size, size) to logits (N, 2): no fracture, fracture."""
        return two_logits(self.head(self.silence(self.trunk(x))))


def two_logits(log_odds: Tensor) -> Tensor:
    """Split log odds z (N,) into logits -z/2 and z/2, shape (N, 2)."""
    half = log_odds / 2
    return torch.stack([-half, half], dim=1)


def detector_network(
    trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec
) -> DetectorNet:
    """Put the fracture head on an encoder.

    Raises
    ------
    ConfigError
        If the input is no box, or there are not two classes.
    """
    if spec.axes != 3:
        raise ConfigError(
            f'[head] kind "detector" needs boxes; [input] axes is {spec.axes}, expected 3.'
        )
    if classes != 2:
        raise ConfigError(
            f'[head] kind "detector" distinguishes two classes; got {classes}. Put several grades '
            "into one class under [grades]."
        )
    net = DetectorNet(trunk, spec.size, head.dropout, head.width, head.silenced)
    return net.to(memory_format=MEMORY_FORMAT[3])  # type: ignore[call-overload]
