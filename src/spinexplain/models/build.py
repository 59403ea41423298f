"""Models by name: ``MODELS`` maps a head's kind to the function that builds the network."""

from __future__ import annotations

from collections.abc import Callable

from spinexplain.config.training import HeadSettings, InputSpec
from spinexplain.errors import ConfigError
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.models.inputs import MEMORY_FORMAT
from spinexplain.models.trunks.backbones import Trunk

Network = PrototypeNet | LinearNet | DetectorNet


def _prototype(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    return PrototypeNet(trunk, head, classes, spec.axes)


def _linear(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    return LinearNet(trunk, classes, spec, head.pooling)


def _detector(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    if spec.axes != 3:
        raise ConfigError(
            f'[head] kind "detector" needs boxes; [input] axes is {spec.axes}, expected 3.'
        )
    if classes != 2:
        raise ConfigError(
            f'[head] kind "detector" distinguishes two classes; got {classes}. Put several grades '
            "into one class under [grades]."
        )
    net = DetectorNet(trunk, spec.size, head.dropout, head.width)
    return net.to(memory_format=MEMORY_FORMAT[3])  # type: ignore[call-overload]


MODELS: dict[str, Callable[[Trunk, HeadSettings, int, InputSpec], Network]] = {
    "prototype": _prototype,
    "linear": _linear,
    "detector": _detector,
}


def build_model(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    """Put a head of ``head.kind`` on a trunk.

    Parameters
    ----------
    trunk : Trunk
    head : HeadSettings
    classes : int
        Number of classes K.
    spec : InputSpec

    Raises
    ------
    ConfigError
        If the head does not fit the input or the number of classes.
    """
    return MODELS[head.kind](trunk, head, classes, spec)
