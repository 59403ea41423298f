"""What takes part in an experiment: presets with overrides (``protoverse:seed=1``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spinexplain.config import TrainConfig, parse_config, read_config
from spinexplain.errors import ConfigError
from spinexplain.evaluate.predictions import settings_hash


@dataclass(frozen=True)
class Entry:
    """One configuration under the name it has in tables and folders.

    Parameters
    ----------
    name : str
        Plain characters only: it names a folder.
    config : TrainConfig
    """

    name: str
    config: TrainConfig

    @property
    def sha256(self) -> str:
        """Hash of the settings."""
        return settings_hash(self.config.model_dump(mode="json"))

    @property
    def steps(self) -> int:
        """Steps of gradient descent, all phases together."""
        config = self.config
        if config.head.kind == "linear":
            return config.classifier.steps
        return config.classifier.steps + config.warm.steps + config.rounds * config.joint.steps


def parse_entry(text: str) -> Entry:
    """Read ``PRESET[:key=value,...]``; PRESET is a name or a .toml file.

    Parameters
    ----------
    text : str
        Keys are dotted (``loss.lambda_div``), values TOML; a value without quotes that is
        no TOML counts as text. ``as=NAME`` gives the entry another name.

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
    for key, value in settings:
        config = with_setting(config, key, _toml_value(value), text)
    told_apart = [f"{key}={value}" for key, value in settings] if len(names) == 1 else []
    return Entry(slug(" ".join([names[-1], *told_apart])), config)


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
            "name once. Tell them apart with PRESET:as=NAME."
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
    parts = [part for part in re.split(r",(?![^\[]*\])", tail) if part.strip()]
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
