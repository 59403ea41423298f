"""The kinds of heads a network can end in: a new one is its module and one line here."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from spinexplain.errors import ConfigError


@dataclass(frozen=True)
class Head:
    """What belongs to one kind of head, by name, so that naming it imports no torch.

    Parameters
    ----------
    network : str
        ``"module:function"`` of (trunk, head settings, number of classes, input) -> network.
    recipe : str
        ``"module:function"`` of a training's arguments -> what it leaves.
    explainer : str
        The method of ``EXPLAINERS`` that explains it by default.
    phases : tuple of str
        Sections of the settings that its training goes through.
    axes : tuple of int
        Spatial axes that it can stand on.
    has_prototypes : bool
        Whether its logits are a sum over prototypes.
    uses_masks : bool
        Whether its training looks at masks of the cohort.

    Examples
    --------
    >>> HEADS["prototype"].explainer
    'prototypes'
    """

    network: str
    recipe: str
    explainer: str
    phases: tuple[str, ...]
    axes: tuple[int, ...] = (2, 3)
    has_prototypes: bool = False
    uses_masks: bool = True


HEADS: dict[str, Head] = {
    "prototype": Head(
        network="spinexplain.models.heads.prototype:prototype_network",
        recipe="spinexplain.train.grading.protoverse:train_prototypes",
        explainer="prototypes",
        phases=("classifier", "warm", "joint"),
        has_prototypes=True,
    ),
    "linear": Head(
        network="spinexplain.models.heads.prototype:linear_network",
        recipe="spinexplain.train.grading.protoverse:train_linear",
        explainer="gradcam",
        phases=("classifier",),
    ),
    "detector": Head(
        network="spinexplain.models.heads.detector:detector_network",
        recipe="spinexplain.train.grading.detector:train_detector",
        explainer="gradcam",
        phases=("detector",),
        axes=(3,),
        uses_masks=False,
    ),
}
"""Kind in ``[head]`` of the settings -> what belongs to it."""


def head_of(kind: str) -> Head:
    """Return what belongs to a kind of head.

    Raises
    ------
    ConfigError
        If there is no such kind.

    Examples
    --------
    >>> head_of("liner")
    Traceback (most recent call last):
    spinexplain.errors.ConfigError: [head] kind is "liner"; expected one of prototype, linear,
    detector. Did you mean "linear"?
    """
    if kind not in HEADS:
        near = difflib.get_close_matches(kind, HEADS, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else " Correct it."
        raise ConfigError(f'[head] kind is "{kind}"; expected one of {", ".join(HEADS)}.{hint}')
    return HEADS[kind]


def resolved(name: str) -> Any:
    """Import what ``"module:function"`` names.

    Examples
    --------
    >>> resolved("math:floor")(2.5)
    2
    """
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
