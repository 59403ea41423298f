"""Published architectures by name: built to a trunk's settings, with weights from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.errors import ConfigError
from spinexplain.models.trunks.densenet import DenseNet121
from spinexplain.models.trunks.resnet import RESNET_BLOCKS, ResNet
from spinexplain.models.trunks.unet3d import CompactEncoder3D, UNet3DEncoder
from spinexplain.models.trunks.vgg import VGG, VGG_CONVOLUTIONS

Network = VGG | ResNet | DenseNet121 | UNet3DEncoder | CompactEncoder3D


@dataclass(frozen=True)
class Architecture:
    """How to build a network by its name.

    Parameters
    ----------
    axes : int
        Spatial axes of its input.
    build : callable
        From input channels and settings to the network.
    stages : int
        Stages it has; 0 where it is always whole and the stride is fixed.
    """

    axes: int
    build: Callable[[int, TrunkSettings], Network]
    stages: int


def _vgg(name: str) -> Architecture:
    return Architecture(2, lambda n, cut: VGG(name, n, cut.blocks, cut.max_stride), 5)


def _resnet(name: str) -> Architecture:
    return Architecture(2, lambda n, cut: ResNet(name, n, cut.blocks, cut.max_stride), 4)


ARCHITECTURES: dict[str, Architecture] = {
    **{name: _vgg(name) for name in VGG_CONVOLUTIONS},
    **{name: _resnet(name) for name in RESNET_BLOCKS},
    "densenet121": Architecture(2, lambda n, cut: DenseNet121(n, cut.blocks, cut.max_stride), 4),
    "unet3d": Architecture(3, lambda n, cut: UNet3DEncoder(n, width=cut.width), 0),
    "unet3d_as_released": Architecture(
        3, lambda n, cut: UNet3DEncoder(n, "as_released", cut.width), 0
    ),
    "compact3d": Architecture(3, lambda n, cut: CompactEncoder3D(n, cut.width), 0),
}


def build_network(settings: TrunkSettings, spec: InputSpec) -> Network:
    """Build a published architecture up to a stage, and load its weights.

    Parameters
    ----------
    settings : TrunkSettings
        ``name`` is a key of ``ARCHITECTURES``; ``blocks`` counts its stages; ``weights``
        is ``"none"`` or a file with torchvision's names (2-D), those of Models Genesis
        (the U-Net), or a detector's (``compact3d``). The 3-D encoders are always whole, at
        stride 8.
    spec : InputSpec

    Raises
    ------
    ConfigError
        If the settings do not fit the architecture.
    ModelError
        If the weight file is not readable, or not of this network.

    Examples
    --------
    >>> settings = TrunkSettings(name="vgg11", blocks=5, max_stride=16, weights="none")
    >>> build_network(settings, InputSpec()).field.stride
    16
    """
    name, architecture = settings.name, ARCHITECTURES[settings.name]
    if spec.axes != architecture.axes:
        raise ConfigError(
            f'[trunk] name "{name}" needs [input] axes = {architecture.axes}; got {spec.axes}.'
        )
    if architecture.stages and settings.blocks > architecture.stages:
        raise ConfigError(
            f"[trunk] blocks is {settings.blocks}; {name} has {architecture.stages} stages. "
            f"Set blocks to 1-{architecture.stages}."
        )
    if settings.weights == "imagenet":
        raise ConfigError(
            f'[trunk] weights = "imagenet": no weights are shipped for {name}. '
            'Give the path of a weight file, or set weights = "none".'
        )
    network = architecture.build(len(spec.channels), settings)
    if settings.weights != "none":
        _load(network, settings)
    return network


def _load(network: Network, settings: TrunkSettings) -> None:
    if isinstance(network, CompactEncoder3D):
        network.load_detector(settings.weights)
    elif isinstance(network, UNet3DEncoder):
        network.load_models_genesis(settings.weights)
    else:
        network.load_torchvision(settings.weights, settings.extra_channels == "scaled")
