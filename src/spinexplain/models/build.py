"""From settings to a network: the head of their kind on a trunk."""

from __future__ import annotations

from spinexplain.config.heads import head_of, resolved
from spinexplain.config.training import HeadSettings, InputSpec
from spinexplain.models.heads.detector import DetectorNet
from spinexplain.models.heads.prototype import LinearNet, PrototypeNet
from spinexplain.models.trunks.backbones import Trunk

Network = PrototypeNet | LinearNet | DetectorNet


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
    network: Network = resolved(head_of(head.kind).network)(trunk, head, classes, spec)
    return network
