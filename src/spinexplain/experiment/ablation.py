"""Ablations: one preset with some settings changed, one at a time or all together."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.config.entries import Entry, slug, with_setting
from spinexplain.config.heads import head_of
from spinexplain.config.training import TrainConfig
from spinexplain.errors import ConfigError
from spinexplain.experiment.backbones import (
    BACKBONE,
    PRETRAINED,
    WEIGHTS,
    check_trunks,
    known_weights,
    on_backbone,
    with_own_weights,
)
from spinexplain.experiment.crossval import Plan, cross_validate
from spinexplain.experiment.crossval_results import crossval_results
from spinexplain.experiment.noise import again, judged_difference, noise_of
from spinexplain.experiment.shared_phase import classifier_settings
from spinexplain.io.json_file import write_json
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort

ALIASES = {
    "prototypes": "head.prototypes_per_class",
    "lambda_div": "loss.lambda_div",
    "weighting": "loss.class_weights",
    "backbone": "trunk.name",
    "input": "input.size",
    "init": "trunk.weights",
    "loss": "loss.grading",
}
_WORDS = {"trunk.weights": {"scratch": "none"}}


@dataclass(frozen=True)
class Factor:
    """One setting and the values it takes; of backbones their published weights, too."""

    key: str
    values: tuple[Any, ...]
    weights: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """What an ablation compares.

    Parameters
    ----------
    entries : tuple of Entry
        The preset as it is first.
    settings : mapping of str to mapping
        Entry -> value of every factor.
    keys : tuple of str
    again : tuple of Entry
        The preset as it is, with other seeds: what they differ by is noise.
    """

    entries: tuple[Entry, ...]
    settings: Mapping[str, Mapping[str, Any]]
    keys: tuple[str, ...]
    again: tuple[Entry, ...] = ()

    @property
    def trained(self) -> tuple[Entry, ...]:
        """Everything that is trained."""
        return (*self.entries, *self.again)


def parse_factor(text: str) -> Factor:
    """Read ``key=v1,v2,...``; keys are dotted settings or one of :data:`ALIASES`.

    A backbone names its published weights behind ``@``.

    Raises
    ------
    ConfigError
        If there is no value.

    Examples
    --------
    >>> parse_factor("prototypes=2,3").values
    (2, 3)
    >>> parse_factor("backbone=vgg11@vgg11.pth").weights
    {'vgg11': 'vgg11.pth'}
    >>> parse_factor("init=imagenet,scratch").values
    ('imagenet', 'none')
    """
    name, sign, tail = text.partition("=")
    words = [word.strip() for word in tail.split(",") if word.strip()]
    if not sign or not words:
        raise ConfigError(
            f'--over "{text}" has no values; expected key=value,value,... with a key such as '
            f"{', '.join(ALIASES)}. Correct it."
        )
    key = ALIASES.get(name.strip(), name.strip())
    if key == BACKBONE:
        return Factor(key, *with_own_weights(words))
    known = _WORDS.get(key, {})
    return Factor(key, tuple(_value(known.get(word, word)) for word in words))


def _value(word: str) -> Any:
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word


def setting_of(config: TrainConfig, key: str) -> Any:
    """Return the value of a dotted key.

    Raises
    ------
    ConfigError
        If there is none.
    """
    at: Any = config.model_dump(mode="python")
    for part in key.split("."):
        if not isinstance(at, dict) or part not in at:
            raise ConfigError(
                f'there is no setting "{key}"; expected a dotted key such as loss.lambda_div, or '
                f"one of {', '.join(ALIASES)}. Correct --over."
            )
        at = at[part]
    return at


def design(
    base: TrainConfig, factors: Sequence[Factor], full: bool, source: str, seeds: int = 1
) -> Design:
    """Make the entries: every factor varied alone, or every combination.

    Parameters
    ----------
    base : TrainConfig
    factors : sequence of Factor
    full : bool
        Every combination.
    source : str
        Whose settings they are, for messages.
    seeds : int
        How often the preset as it is is trained, each time with another seed.

    Raises
    ------
    ConfigError
        If a key occurs twice, is unknown, or a value does not fit.
    """
    keys = [factor.key for factor in factors]
    if "task" in keys:
        raise ConfigError(
            "--over task compares models of different classes, which have no figure in common. "
            "Run ablate once a task, with --preset PRESET:task=NAME."
        )
    if not factors or len(set(keys)) < len(keys):
        raise ConfigError(
            f"--over names {', '.join(keys) or 'nothing'}; expected at least one key and every "
            "key once. Give all values of a key in one --over."
        )
    known = known_weights(base, {k: v for factor in factors for k, v in factor.weights.items()})
    start = _start(base, factors)
    if full:
        points = [dict(zip(keys, values, strict=True)) for values in _combinations(factors)]
    else:
        points = [start | {f.key: value} for f in factors for value in f.values]
    entries: list[Entry] = []
    settings: dict[str, dict[str, Any]] = {}
    for point in [start, *(_own_named(point, start, base) for point in points)]:
        if any(point == known for known in settings.values()):
            continue
        changed = {key: value for key, value in point.items() if value != start[key]}
        name = slug(" ".join([base.name, *(f"{k.split('.')[-1]}={v}" for k, v in changed.items())]))
        config = _changed(base, changed, source)
        if changed.keys() & {BACKBONE, WEIGHTS}:
            config = on_backbone(config, point, known, source)
        entries.append(Entry(name, config))
        settings[name] = point
    return Design(tuple(entries), settings, tuple(keys), again(entries[0], seeds))


def _start(base: TrainConfig, factors: Sequence[Factor]) -> dict[str, Any]:
    """Return the preset's own value of every factor."""
    start = {factor.key: setting_of(base, factor.key) for factor in factors}
    if WEIGHTS in start and _crossed(factors) and base.trunk.weights != "none":
        start[WEIGHTS] = PRETRAINED
    return start


def _crossed(factors: Sequence[Factor]) -> bool:
    """Return whether starting weights go with the backbone, so that they have no one name."""
    asked = next((factor.values for factor in factors if factor.key == WEIGHTS), ())
    return PRETRAINED in asked or any(factor.key == BACKBONE for factor in factors)


def _own_named(
    point: dict[str, Any], start: Mapping[str, Any], base: TrainConfig
) -> dict[str, Any]:
    """Call the preset's own weights what the start calls them."""
    if start.get(WEIGHTS) == PRETRAINED and point[WEIGHTS] == base.trunk.weights:
        return point | {WEIGHTS: PRETRAINED}
    return point


def _combinations(factors: Sequence[Factor]) -> list[tuple[Any, ...]]:
    return list(product(*(factor.values for factor in factors)))


def _changed(base: TrainConfig, changed: Mapping[str, Any], source: str) -> TrainConfig:
    config = base
    for key, value in changed.items():
        if key in (BACKBONE, WEIGHTS):
            continue
        config = with_setting(config, key, value, source)
        if key == "loss.class_weights":  # the last layer has schemes of its own
            config = with_setting(config, "last_layer.class_weights", None, source)
            config = with_setting(config, "last_layer.class_shares", None, source)
    return config


def with_frozen_trunk(base: TrainConfig) -> TrainConfig:
    """Leave the joint phase out: heads are compared on the features of one classifier."""
    return with_setting(base, "joint.steps", 0, base.name)


def ablate(
    cohort: Cohort,
    made: Design,
    out: str | Path,
    folds: int = 5,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress = SILENT,
    device: str = "cpu",
) -> dict[str, Any]:
    """Cross-validate every entry of a design and write ``results.json``.

    The preset is trained with other seeds as well (``made.again``); a difference not above
    what these identical trainings differ by is called none.

    Entries whose classifier phase has the same settings share it, fold by fold; the
    results say so, and whether the trunk was frozen after it. Every entry is compared with
    the preset as it is.

    Parameters
    ----------
    cohort : Cohort
    made : Design
    out : str or Path
    folds, seed, jobs : int
    progress : Progress
        As :func:`~spinexplain.experiment.crossval.cross_validate` calls it.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """
    check_trunks(made.trained)
    cross_validate(cohort, Plan(made.trained, folds, seed), out, jobs, progress, device)
    return ablation_results(made, out, seed)


def ablation_results(
    made: Design, out: str | Path, seed: int = 0, so_far: bool = False
) -> dict[str, Any]:
    """Judge an ablation and write ``results.json``, with its factors, into its folder.

    Arguments and exceptions as for
    :func:`~spinexplain.experiment.crossval_results.crossval_results`.
    """
    results = crossval_results(out, seed, so_far, against=made.entries[0].name)
    how = results.get("trunk") or how_compared(made.entries)
    results["factors"] = {
        "keys": list(made.keys),
        "settings": {name: dict(point) for name, point in made.settings.items()},
        "base": dict(made.settings[made.entries[0].name]),
        "how": how,
    }
    repeats = {made.entries[0].name, *(entry.name for entry in made.again)}
    noise = noise_of([entry for entry in results["entries"] if entry["name"] in repeats])
    for pair in results["comparisons"]:
        pair["with_training"] = judged_difference(pair, noise)
    results["noise"] = noise
    write_json(Path(out) / "results.json", results, only_finite=True)
    return results


def _stands_on_frozen_trunk(config: TrainConfig) -> bool:
    return head_of(config.head.kind).has_prototypes and config.joint.steps == 0


def how_compared(entries: Sequence[Entry]) -> str:
    """Say what the entries share."""
    kinds = {json.dumps(classifier_settings(e.config), sort_keys=True) for e in entries}
    frozen = all(_stands_on_frozen_trunk(entry.config) for entry in entries)
    if len(kinds) > 1:
        return f"{len(kinds)} different classifier phases, each trained once a fold."
    if frozen:
        return (
            "All entries of a fold stand on the frozen trunk of one classifier: heads alone differ."
        )
    return "All entries of a fold start from the same classifier; the joint phase is their own."
