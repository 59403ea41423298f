"""3-D encoders: the contracting half of a U-Net, and a compact one for the CPU."""

from __future__ import annotations

import copy
from collections import OrderedDict
from pathlib import Path
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.errors import ConfigError, ModelError
from spinexplain.models.receptive import ConvStep, ReceptiveField, receptive_field
from spinexplain.models.trunks.weights import load_weights

Statistics = Literal["running", "as_released"]
_STAGES = {"down_tr64": (32, 64), "down_tr128": (64, 128), "down_tr256": (128, 256)}
_LAST_STAGE = {"down_tr512": (256, 512)}
_COMPACT_WIDTHS = ((32, 64), (64, 128), (256, 512))


class BatchStatisticsNorm3d(nn.BatchNorm3d):
    """Batch normalization by the batch's own statistics, in evaluation as in training.

    Notes
    -----
    As the released code does it (``ContBatchNorm3d``): a prediction depends on what else
    is in its batch. Unlike there, evaluation does not change the running statistics.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, *S) with the mean and variance of this batch."""
        if self.training:
            return super().forward(x)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


def with_batch_statistics(model: nn.Module) -> nn.Module:
    """Return a copy of a model that normalizes by the batch's own statistics.

    Every 3-D batch normalization is replaced; weights and everything else stay.

    Examples
    --------
    >>> kinds = [type(m) for m in with_batch_statistics(nn.Sequential(nn.BatchNorm3d(2)))]
    >>> [kind.__name__ for kind in kinds]
    ['BatchStatisticsNorm3d']
    """
    changed = copy.deepcopy(model)
    for parent in list(changed.modules()):
        for name, norm in list(parent.named_children()):
            if isinstance(norm, nn.BatchNorm3d):
                other = BatchStatisticsNorm3d(norm.num_features, norm.eps, norm.momentum)
                other.load_state_dict(norm.state_dict())
                setattr(parent, name, other.train(norm.training))
    return changed


_NORMS: dict[str, type[nn.BatchNorm3d]] = {
    "running": nn.BatchNorm3d,
    "as_released": BatchStatisticsNorm3d,
}


class UNet3DEncoder(nn.Module):
    """The contracting half of the 3-D U-Net of Models Genesis: 512 units at stride 8.

    The names of its tensors are those of Models Genesis, ``down_tr64.ops.0.conv1.weight``
    and so on; its weights fit the whole width alone.

    Parameters
    ----------
    in_channels : int
        Channels of the input; Models Genesis has 1.
    statistics : str
        ``"running"`` for ordinary batch normalization, ``"as_released"`` for the batch's
        own statistics even in evaluation.
    width : float
        Factor on the channels of every convolution; 1 as published.

    Attributes
    ----------
    channels : int
        512 x ``width``.
    field : ReceptiveField

    Raises
    ------
    ConfigError
        If ``statistics`` is neither.

    Notes
    -----
    Zhou et al., arXiv:1908.06912; the detector of the released code of Interpretable
    Vertebral Fracture Diagnosis. Widths 32-64, 64-128, 128-256, 256-512, a max-pooling
    after each stage but the last.

    Examples
    --------
    >>> UNet3DEncoder().field
    ReceptiveField(size=68, stride=8, start=3.5)
    """

    def __init__(
        self, in_channels: int = 1, statistics: Statistics = "running", width: float = 1.0
    ) -> None:
        super().__init__()
        if statistics not in _NORMS:
            raise ConfigError(f'statistics is "{statistics}"; expected one of {sorted(_NORMS)}.')
        before = in_channels
        for name, (first, second) in (_STAGES | _LAST_STAGE).items():
            pool, widths = name in _STAGES, (_scaled(first, width), _scaled(second, width))
            self.add_module(name, _DownTransition(before, widths, _NORMS[statistics], pool))
            before = widths[-1]
        self.channels = before
        pooled = [ConvStep(3, 1, 1), ConvStep(3, 1, 1), ConvStep(2, 2, 0)]
        self.field: ReceptiveField = receptive_field(pooled * len(_STAGES) + pooled[:2])

    def forward(self, x: Tensor) -> Tensor:
        """Map boxes (N, in_channels, D, H, W) to features (N, 512, D / 8, H / 8, W / 8)."""
        for stage in self.children():
            x = stage(x)
        return x

    def load_models_genesis(self, path: str | Path) -> None:
        """Load the encoder's half of a Models Genesis weight file, in place.

        Raises
        ------
        ModelError
            If the file is not readable as weights, or not of this network.
        """
        decoder = ("up_tr256.", "up_tr128.", "up_tr64.", "out_tr.")
        load_weights(self, path, stem="down_tr64.ops.0.conv1.weight", ignored=decoder)


class _DownTransition(nn.Module):
    """Two normalized convolutions and, in all but the last stage, a max-pooling."""

    def __init__(
        self, in_channels: int, widths: tuple[int, int], norm: type[nn.BatchNorm3d], pool: bool
    ) -> None:
        super().__init__()
        first, second = widths
        self.ops = nn.Sequential(
            _convolution(in_channels, first, norm), _convolution(first, second, norm)
        )
        self.maxpool = nn.MaxPool3d(2) if pool else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.maxpool(self.ops(x))


def _scaled(channels: int, width: float) -> int:
    return max(round(channels * width), 1)


def _convolution(in_channels: int, width: int, norm: type[nn.BatchNorm3d]) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv3d(in_channels, width, 3, padding=1),
            bn1=norm(width),
            activation=nn.ReLU(inplace=True),
        )
    )


class SpaceToDepth(nn.Module):
    """Stack blocks of neighboring samples as channels: the grid shrinks, nothing is lost.

    Parameters
    ----------
    factor : int
        Side of a block.

    Examples
    --------
    >>> import torch
    >>> SpaceToDepth(2)(torch.zeros(1, 1, 4, 6, 8)).shape
    torch.Size([1, 8, 2, 3, 4])
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, *S) to (N, C x factor^axes, *S / factor)."""
        axes, f = x.ndim - 2, self.factor
        if any(n % f for n in x.shape[2:]):
            raise ModelError(
                f"an input of {tuple(x.shape[2:])} samples cannot be cut into blocks of {f}; "
                f"expected multiples of {f}. Change [input] size."
            )
        x = x.reshape(*x.shape[:2], *(size for n in x.shape[2:] for size in (n // f, f)))
        grid, block = range(2, 2 + 2 * axes, 2), range(3, 3 + 2 * axes, 2)
        return x.permute(0, 1, *block, *grid).flatten(1, 1 + axes)


class CompactEncoder3D(nn.Module):
    """A 3-D encoder for the CPU: space to depth first, then 512 units at stride 8.

    Parameters
    ----------
    in_channels : int
    width : float
        Factor on the channels of every convolution; half of them cost a quarter.

    Attributes
    ----------
    channels : int
        512 x ``width``.
    field : ReceptiveField

    Notes
    -----
    Blocks of 2 x 2 x 2 samples become channels, then stages of 32-64, 64-128 and 256-512
    channels with max-pooling between them, each convolution 3-wide, normalized and
    rectified. A 96^3 box costs 38 GFLOP, the U-Net's encoder 228.

    Examples
    --------
    >>> CompactEncoder3D().field
    ReceptiveField(size=64, stride=8, start=3.5)
    """

    def __init__(self, in_channels: int = 1, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = [SpaceToDepth(2)]
        steps = [ConvStep(2, 2, 0)]
        before = in_channels * 2**3
        for index, widths in enumerate(_COMPACT_WIDTHS):
            if index:
                layers.append(nn.MaxPool3d(2))
                steps.append(ConvStep(2, 2, 0))
            for full in widths:
                channels = _scaled(full, width)
                layers.append(_convolution(before, channels, nn.BatchNorm3d))
                steps.append(ConvStep(3, 1, 1))
                before = channels
        self.channels = before
        self.layers = nn.Sequential(*layers)
        self.field: ReceptiveField = receptive_field(steps)

    def forward(self, x: Tensor) -> Tensor:
        """Map boxes (N, in_channels, D, H, W) to features (N, channels, D / 8, H / 8, W / 8)."""
        return self.layers(x)

    def load_detector(self, path: str | Path) -> None:
        """Load the encoder of a trained detector of the same width, in place.

        Its boxes may have had another size: the encoder only convolves.

        Parameters
        ----------
        path : str or Path
            ``model.safetensors`` of a detector's bundle.

        Raises
        ------
        ModelError
            If the file is not readable as weights, or not of this network.
        """
        stem = "layers.1.conv1.weight"
        load_weights(self, path, stem=stem, ignored=("head.",), rename=_without_trunk)


def _without_trunk(name: str) -> str:
    return name.removeprefix("trunk.layers.")
