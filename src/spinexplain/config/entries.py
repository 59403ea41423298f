"""What takes part in an experiment: presets with settings (``protoverse:seed=1``).

``protoverse:loss.lambda_div=0.1|0.3|0.5`` stands for three candidates, of which each fold takes
the best on its validation subjects.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spinexplain.config.heads import head_of
from spinexplain.config.settings_hash import settings_hash
from spinexplain.config.training import PhaseSettings, TrainConfig, parse_config, read_config
from spinexplain.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """One configuration under the name it has in tables and folders.

    Parameters
    ----------
    name : str
        Plain characters only: it names a folder.
    config : TrainConfig
        The first candidate.
    others : tuple of TrainConfig
        Further candidates; the best on validation is judged.
    """

    name: str
    config: TrainConfig
    others: tuple[TrainConfig, ...] = ()

    @property
    def candidates(self) -> tuple[TrainConfig, ...]:
        """All configurations to choose from, in the order given."""
        return (self.config, *self.others)

    @property
    def sha256(self) -> str:
        """Hash of the settings, of all candidates if there are several."""
        dumped = [config.model_dump(mode="json") for config in self.candidates]
        return settings_hash(dumped if self.others else dumped[0])

    @property
    def steps(self) -> int:
        """Steps of gradient descent of one candidate (the longest), all phases together."""
        return max(steps_of(config) for config in self.candidates)


def steps_of(config: TrainConfig) -> int:
    """Count the steps of gradient descent of all phases; an epoch's are not known before.

    Examples
    --------
    >>> steps_of(TrainConfig(classifier={"steps": 5}, warm={"steps": 2}, joint={"steps": 1}))
    8
    """
    rounds = {"joint": config.rounds}
    return sum(
        rounds.get(name, 1) * settings.steps
        for name in head_of(config.head.kind).phases
        if isinstance(settings := getattr(config, name), PhaseSettings)
    )


def parse_entry(text: str) -> Entry:
    """Read ``PRESET[:key=value,...]``; PRESET is a name or a .toml file.

    Parameters
    ----------
    text : str
        Keys are dotted (``loss.lambda_div``), values TOML; a value without quotes that is
        no TOML counts as text. ``as=NAME`` gives the entry another name, ``task=NAME`` one
        of ``TASKS``; values between bars are candidates (every combination, if several keys
        have them).

    Raises
    ------
    ConfigError
        If the preset, a key or a value is wrong.

    Examples
    --------
    >>> entry = parse_entry("protoverse:loss.lambda_div=0,as=no diversity")
    >>> entry.name, entry.config.loss.lambda_div
    ('no-diversity', 0.0)
    """
    source, _, tail = text.partition(":")
    config = read_config(source)
    changes = [part.partition("=")[::2] for part in _split(tail)]
    names = [config.name, *(value for key, value in changes if key == "as")]
    settings = [(key, value) for key, value in changes if key != "as"]
    configs = [config]
    for key, value in settings:
        values = [_toml_value(part) for part in value.split("|")]
        configs = [with_setting(one, key, item, text) for one in configs for item in values]
    told_apart = [f"{key}={value}" for key, value in settings] if len(names) == 1 else []
    return Entry(slug(" ".join([names[-1], *told_apart])), configs[0], tuple(configs[1:]))


def parse_config_text(text: str) -> TrainConfig:
    """Read ``PRESET[:key=value,...]`` where a single configuration is wanted.

    Raises
    ------
    ConfigError
        As :func:`parse_entry`, and if there are several candidates.

    Examples
    --------
    >>> parse_config_text("protoverse:task=fracture").classes
    ('no fracture', 'fracture')
    """
    entry = parse_entry(text)
    if entry.others:
        raise ConfigError(
            f'"{text}" stands for {len(entry.candidates)} candidates; expected one configuration. '
            "Candidates are for crossval; give one value."
        )
    return entry.config


def parse_entries(texts: Sequence[str]) -> list[Entry]:
    """Read all entries of an experiment.

    Raises
    ------
    ConfigError
        If there is none, or two have the same name.
    """
    entries = [parse_entry(text) for text in texts]
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not entries:
        raise ConfigError(
            f"{len(entries)} entries named {', '.join(names)}; expected at least one and every "
            "name once. Give them different names with PRESET:as=NAME."
        )
    return entries


def with_setting(config: TrainConfig, key: str, value: Any, source: str) -> TrainConfig:
    """Return the configuration with one dotted key replaced.

    Raises
    ------
    ConfigError
        If there is no such key, or the value does not fit.
    """
    content = config.model_dump(mode="python")
    if key == "task":
        return _with_task(content, str(value), source)
    at: Any = content
    *sections, last = key.split(".")
    for section in sections:
        at = at.get(section) if isinstance(at, dict) else None
    if not isinstance(at, dict):
        raise ConfigError(
            f'"{key}" in {source} names no section; expected one of '
            f"{', '.join(k for k, v in content.items() if isinstance(v, dict))}. Correct the key."
        )
    at[last] = value
    return parse_config(content, source)


def _with_task(content: dict[str, Any], name: str, source: str) -> TrainConfig:
    """Replace the classes; shares of classes that the new task has not are left out."""
    rest = {key: value for key, value in content.items() if key not in ("classes", "grades")}
    changed = parse_config(rest | {"task": name}, source)
    shares = changed.last_layer.class_shares
    if shares is None or set(shares) == set(changed.classes):
        return changed
    return with_setting(changed, "last_layer.class_shares", None, source)


def slug(name: str) -> str:
    """Turn a name into one that a folder may have.

    Examples
    --------
    >>> slug("protoverse loss.lambda_div=0.0 / x")
    'protoverse-loss.lambda_div=0.0-x'
    """
    plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", name).strip("-.")
    return plain or "entry"


def _split(tail: str) -> list[str]:
    """Split at commas that are not inside brackets; check that each part is ``key=value``."""
    parts = [part for part in re.split(r",(?![^\[{]*[\]}])", tail) if part.strip()]
    for part in parts:
        if "=" not in part:
            raise ConfigError(
                f'override "{part}" has no value; expected key=value, e.g. loss.lambda_div=0. '
                "Correct it."
            )
    return [part.strip() for part in parts]


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
