"""Explainers by name, whoever wrote them, and what of an explanation is scored."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from spinexplain.errors import ConfigError, ModelError
from spinexplain.explainers.dissection.explain import DissectionExplainer
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.registry import EXPLAINERS
from spinexplain.models.grader import Grader
from spinexplain.types import Explanation, Patch

ALL = (
    "prototypes",
    "dissection",
    "gradcam",
    "gradcam++",
    "xgradcam",
    "integrated_gradients",
    "occlusion",
)


@dataclass(frozen=True, eq=False)
class ScoredMap:
    """What an explanation says, as it is scored.

    Parameters
    ----------
    heatmap : ndarray of float32, shape (*S)
        Everything that speaks for the class, added up: each map with its peak at its score.
    first : ndarray of float32, shape (*S)
        The strongest piece of evidence alone, which a reader looks at first.
    strength : float
        Sum of the scores that speak for the class.
    """

    heatmap: np.ndarray
    first: np.ndarray
    strength: float


Method = Callable[[Grader, Patch, str], ScoredMap]


def scored_map(explanation: Explanation) -> ScoredMap:
    """Add up the evidence that speaks for the class explained.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    ScoredMap
        0 everywhere where nothing speaks for the class.

    Notes
    -----
    h = sum over evidence e of the class, with score s_e > 0, of s_e h_e / max(h_e). For
    prototypes this is the sum of similarity maps times class connections.
    """
    shape = explanation.patch.array.shape
    speaking = [
        item
        for item in explanation.evidence
        if item.class_name == explanation.target and item.score > 0 and item.heatmap.max() > 0
    ]
    maps = [item.score * item.heatmap / item.heatmap.max() for item in speaking]
    total = np.sum(maps, axis=0) if maps else np.zeros(shape)
    first = maps[0] if maps else np.zeros(shape)
    strength = float(sum(item.score for item in speaking))
    return ScoredMap(total.astype(np.float32), first.astype(np.float32), strength)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Spell ``all`` out and refuse explainers that do not exist.

    Examples
    --------
    >>> check_names(["gradcam", "my.module:Maps"])
    ('gradcam', 'my.module:Maps')
    """
    spelled = [one for name in names for one in (ALL if name == "all" else (name,))]
    for name in spelled:
        if ":" not in name and name not in ALL:
            raise ConfigError(
                f'there is no explainer "{name}"; expected all, one of {", ".join(ALL)}, or '
                "package.module:Class of your own."
            )
    return tuple(dict.fromkeys(spelled))


def not_applicable(name: str, grader: Grader, dissections: Sequence[Dissection]) -> str:
    """Say why an explainer cannot explain a model, or return an empty string."""
    if name == "prototypes" and grader.prototype_head is None:
        return "the model has no prototypes"
    if name == "dissection" and dissection_of(grader, dissections) is None:
        return "no dissection of this model was given (--dissection)"
    return ""


def dissection_of(grader: Grader, dissections: Sequence[Dissection]) -> Dissection | None:
    """Return the dissection that was made of a model, if one is given."""
    for one in dissections:
        try:
            one.check_model(grader.info)
        except ModelError:
            continue
        return one
    return None


def method_by_name(name: str, grader: Grader, dissections: Sequence[Dissection] = ()) -> Method:
    """Return a function that explains a patch and gives what is scored.

    Parameters
    ----------
    name : str
        A key of ``EXPLAINERS``, or ``package.module:Class`` for a class (called without
        arguments) or function; what it gives is called with grader, patch and class and
        returns an Explanation, or a heat map (*S) of the patch.
    grader : Grader
    dissections : sequence of Dissection

    Raises
    ------
    ConfigError
        If the module or the class cannot be found.
    """
    if ":" in name:
        return partial(_foreign, name, _loaded(name))
    dissection = dissection_of(grader, dissections)
    if name == "dissection" and dissection is not None:
        return partial(_own, DissectionExplainer(dissection))
    return partial(_own, EXPLAINERS[name])


def _own(
    explain: Callable[[Grader, Patch, str], Explanation], grader: Grader, patch: Patch, target: str
) -> ScoredMap:
    return scored_map(explain(grader, patch, target))


def _loaded(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f'explainer "{name}" cannot be loaded ({error}); expected package.module:Class that '
            "can be imported here. Check the spelling and PYTHONPATH."
        ) from None
    return found() if isinstance(found, type) else found


def _foreign(
    name: str, explain: Callable[..., Any], grader: Grader, patch: Patch, target: str
) -> ScoredMap:
    given = explain(grader, patch, target)
    if isinstance(given, Explanation):
        return scored_map(given)
    heatmap = np.asarray(given, np.float32)
    if heatmap.shape != patch.array.shape or not np.isfinite(heatmap).all():
        raise ConfigError(
            f'explainer "{name}" gave a map of shape {heatmap.shape}; expected finite numbers of '
            f"the patch's shape {patch.array.shape}."
        )
    positive = np.clip(heatmap, 0, None)
    return ScoredMap(positive, positive, float(positive.sum(dtype=np.float64)))
