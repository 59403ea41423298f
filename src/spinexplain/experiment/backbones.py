"""Backbones crossed with starting weights, each with its own.

``backbone=vgg11@vgg11.pth,resnet50@resnet50.pth`` names the weights that were published for
each; ``init=pretrained,scratch`` then asks for them or for none, backbone by backbone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spinexplain.config.entries import Entry, with_setting
from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError, ModelError

BACKBONE, WEIGHTS = "trunk.name", "trunk.weights"
PRETRAINED = "pretrained"
# How far a published backbone goes, and at which stride; "conv" keeps the preset's own.
_CUTS = {"vgg": (5, 32), "resnet": (4, 32), "densenet": (4, 32), "efficientnet": (11, 16)}


def with_own_weights(values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Part backbones from the weights that are named behind ``@``.

    Examples
    --------
    >>> with_own_weights(["vgg11@vgg11.pth", "conv"])
    (('vgg11', 'conv'), {'vgg11': 'vgg11.pth'})
    """
    parted = [str(value).partition("@")[::2] for value in values]
    return tuple(name for name, _ in parted), {name: own for name, own in parted if own}


def known_weights(base: TrainConfig, named: Mapping[str, str]) -> dict[str, str]:
    """Return the published weights of every backbone: those named, and the preset's own."""
    own = {} if base.trunk.weights == "none" else {base.trunk.name: base.trunk.weights}
    return own | dict(named)


def on_backbone(
    config: TrainConfig, point: Mapping[str, Any], known: Mapping[str, str], source: str
) -> TrainConfig:
    """Put a configuration on the backbone of a design's point, with its cut and its weights.

    Parameters
    ----------
    config : TrainConfig
    point : mapping
        Value of every factor; ``trunk.name`` and ``trunk.weights`` are looked at.
    known : mapping of str to str
        Backbone -> weights published for it (``"imagenet"``, a file, or ``"none"``).
    source : str

    Raises
    ------
    ConfigError
        If no weights are known for a backbone that is to start from some.
    """
    name = str(point.get(BACKBONE, config.trunk.name))
    changed = name != config.trunk.name
    weights = str(point.get(WEIGHTS, PRETRAINED if changed else config.trunk.weights))
    if weights == PRETRAINED and (WEIGHTS in point or config.trunk.weights != "none"):
        weights = _own(name, known)
    elif weights == PRETRAINED:
        weights = known.get(name, "none")
    elif changed and weights not in ("none", known.get(name)):
        raise ConfigError(
            f"init={weights} crosses backbone={name}, whose weights are its own; expected "
            "init=pretrained or init=scratch where backbones are crossed."
        )
    if changed:
        config = with_setting(config, BACKBONE, name, source)
        for key, value in zip(("trunk.blocks", "trunk.max_stride"), _cut(name), strict=False):
            config = with_setting(config, key, value, source)
    return with_setting(config, WEIGHTS, weights, source)


def _own(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise ConfigError(
            f"no weights are named for the backbone {name}; expected a file behind @, or none. "
            f"Write backbone={name}@FILE (torchvision's names) or backbone={name}@none."
        )
    return known[name]


def _cut(backbone: str) -> tuple[int, ...]:
    return next((cut for stem, cut in _CUTS.items() if backbone.startswith(stem)), ())


def check_trunks(entries: Sequence[Entry]) -> None:
    """Build every starting trunk once, so that weights that do not fit stop before any training.

    Raises
    ------
    ConfigError
        If weights are missing, or those of another network; the entry is named.
    """
    from spinexplain.models.trunks.backbones import build_trunk

    seen = []
    for entry in entries:
        kind = (entry.config.trunk, entry.config.input)
        if kind in seen or entry.config.trunk.weights == "none":
            continue
        seen.append(kind)
        try:
            build_trunk(*kind)
        except (ConfigError, ModelError) as error:
            raise ConfigError(f"{entry.name}: {error}") from None
