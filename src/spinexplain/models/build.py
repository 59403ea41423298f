"""Models by name: ``MODELS`` maps a head's kind to the function that builds the network."""

from __future__ import annotations

from collections.abc import Callable

from spinexplain.config import HeadSettings, InputSpec
from spinexplain.models.backbones import Trunk
from spinexplain.models.prototype import LinearNet, PrototypeNet

Network = PrototypeNet | LinearNet


def _prototype(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    return PrototypeNet(trunk, head, classes, spec.axes)


def _linear(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> Network:
    return LinearNet(trunk, classes, spec, head.pooling)


MODELS: dict[str, Callable[[Trunk, HeadSettings, int, InputSpec], Network]] = {
    "prototype": _prototype,
    "linear": _linear,
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
    """
    return MODELS[head.kind](trunk, head, classes, spec)
