"""The evidence that readers judge, and foils that look like it and are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.explain import DissectionExplainer
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.explainers.registry import EXPLAINERS, Explainer
from spinexplain.models.grader import Grader
from spinexplain.study.record import FOILS
from spinexplain.types import Evidence, Explanation, Patch, PrototypeDetail

UNITS = "units"
_FEWEST_OTHERS = 3


@dataclass(frozen=True, eq=False)
class Arm:
    """A model with a way of explaining it.

    Parameters
    ----------
    name : str
    grader : Grader
    method : str
        A key of ``EXPLAINERS``, or ``"units"``.
    explain : Explainer
    """

    name: str
    grader: Grader
    method: str
    explain: Explainer


def make_arm(name: str, grader: Grader, method: str, dissections: Sequence[Dissection]) -> Arm:
    """Bind a method to a model.

    Raises
    ------
    ConfigError
        If there is no such method, or none for this model.
    """
    if method == UNITS:
        fitting = [one for one in dissections if one.fits(grader.info)]
        if not fitting:
            raise ConfigError(
                f'arm "{name}" shows units, and no dissection of "{grader.info.name}" was given. '
                "Add --dissection with what dissect wrote of this model."
            )
        return Arm(name, grader, method, DissectionExplainer(fitting[0]))
    if method not in EXPLAINERS:
        raise ConfigError(
            f'arm "{name}" has the method {method!r}; expected one of '
            f"{', '.join([*EXPLAINERS, UNITS])}. Write NAME=MODEL:METHOD."
        )
    if method == "prototypes" and grader.prototype_head is None:
        raise ConfigError(
            f'arm "{name}": model "{grader.info.name}" has no prototypes. Explain it with gradcam.'
        )
    return Arm(name, grader, method, EXPLAINERS[method])


def ranked(explanation: Explanation) -> tuple[Evidence, ...]:
    """Order evidence as a study shows it: prototypes by similarity, the closest first.

    ProtoVerse asks about "the top 3 closest prototypes from the training set based on the
    similarity score", of whatever class. Other evidence keeps its order by score.
    """
    if not all(isinstance(item.detail, PrototypeDetail) for item in explanation.evidence):
        return explanation.evidence
    return tuple(sorted(explanation.evidence, key=_closeness))


def _closeness(item: Evidence) -> float:
    assert isinstance(item.detail, PrototypeDetail)
    return -item.detail.similarity


@dataclass(frozen=True, eq=False)
class Shown:
    """What one arm says of one vertebra.

    Parameters
    ----------
    subject : str
    patch : Patch
    target : str
        The class that is explained: the one the model gives.
    evidence : tuple of Evidence
        All of it, in the order of :func:`ranked`.
    """

    subject: str
    patch: Patch
    target: str
    evidence: tuple[Evidence, ...]


def explained(arm: Arm, subject: str, patch: Patch, target: str) -> Shown:
    """Explain a vertebra."""
    return Shown(subject, patch, target, ranked(arm.explain(arm.grader, patch, target)))


def foil_kinds(everything: Sequence[Shown], place: int, top: int) -> tuple[str, ...]:
    """Return the foils that can be made of a vertebra's evidence."""
    makers: Mapping[str, Callable[[], object]] = {
        FOILS[0]: lambda: len(everything[place].evidence) >= top + 1,
        FOILS[1]: lambda: bool(_other_classes(everything[place])),
        FOILS[2]: lambda: len(_others(everything, place)) >= _FEWEST_OTHERS,
    }
    return tuple(kind for kind in FOILS if makers[kind]())


def foil(
    everything: Sequence[Shown], place: int, kind: str, top: int, rng: np.random.Generator
) -> tuple[Evidence, ...]:
    """Make evidence that is none of one vertebra.

    Parameters
    ----------
    everything : sequence of Shown
        Of one arm.
    place : int
        Whose.
    kind : str
        ``"random evidence"``: pieces drawn from those that are not the strongest.
        ``"wrong class"``: those of other classes that fit least. ``"image-blind map"``: the
        real pieces, their maps on the test image replaced by the mean of the maps of the same
        rank on vertebrae of other persons, which never saw this image.
    top : int
        Pieces.
    rng : Generator
    """
    shown = everything[place]
    if kind == FOILS[0]:
        rest = shown.evidence[top:]
        chosen = rng.permutation(len(rest))[:top]
        return tuple(rest[k] for k in chosen)
    if kind == FOILS[1]:
        return tuple(_other_classes(shown)[::-1][:top])
    maps = _others(everything, place)
    return tuple(
        replace(item, heatmap=_mean_map(maps, rank, item.heatmap.shape), grid=(), region="contours")
        for rank, item in enumerate(shown.evidence[:top])
    )


def _other_classes(shown: Shown) -> list[Evidence]:
    return [item for item in shown.evidence if item.class_name != shown.target]


def _others(everything: Sequence[Shown], place: int) -> list[Shown]:
    own = everything[place]
    same = [one for one in everything if one.subject != own.subject and one.target == own.target]
    if len({one.subject for one in same}) >= _FEWEST_OTHERS:
        return same
    return [one for one in everything if one.subject != own.subject]


def _mean_map(others: Sequence[Shown], rank: int, shape: tuple[int, ...]) -> np.ndarray:
    """Average the maps of one rank, each with its peak at 1."""
    maps = [one.evidence[rank].heatmap for one in others if len(one.evidence) > rank]
    scaled = [heat / heat.max() for heat in maps if heat.shape == shape and heat.max() > 0]
    return np.mean(scaled, axis=0).astype(np.float32) if scaled else np.ones(shape, np.float32)
