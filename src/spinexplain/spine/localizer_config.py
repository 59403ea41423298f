"""Which external tools can find the vertebrae, and how each is called."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from pydantic import Field, ValidationError, field_validator

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import Settings
from spinexplain.errors import ConfigError
from spinexplain.io.schemes import SCHEMES


class LocalizerTemplate(Settings):
    """How an external segmentation tool is called, and what it writes.

    Parameters
    ----------
    command : tuple of str
        The program and its arguments, one string each; no shell ever sees them. ``{ct}``
        becomes the path of the CT (NIfTI), ``{out}`` an empty folder to write to.
    output : str
        Name or pattern of the vertebra mask inside ``{out}``, e.g. ``"*_level.nii.gz"``.
    scheme : str
        Whose label numbers the mask has; a key of ``SCHEMES``.
    centroids : str, optional
        Name or pattern of a centroid file inside ``{out}``.
    body : str, optional
        Name or pattern of a vertebral-body mask inside ``{out}``.
    body_scheme : str, optional
        What the numbers of the body mask mean; a key of ``BODY_SCHEMES``.
    version : str
        Part of the key of stored results: change it when the tool changes. Built-in tools
        are asked through ``distribution`` instead.
    distribution : str
        Python distribution whose installed version stands beside the program.
    install : str
        What to do when the program is not found.
    """

    command: tuple[str, ...] = Field(min_length=1)
    output: str
    scheme: str = "verse"
    centroids: str | None = None
    body: str | None = None
    body_scheme: str | None = None
    version: str = ""
    distribution: str = ""
    install: str = "Install it, or give the full path in the configuration file."

    @field_validator("command")
    @classmethod
    def _has_placeholders(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        for placeholder in ("{ct}", "{out}"):
            if not any(placeholder in word for word in command):
                raise ValueError(f"no word of it holds {placeholder}")
        return command

    @field_validator("output", "centroids", "body")
    @classmethod
    def _stays_inside(cls, pattern: str | None) -> str | None:
        parts = PurePosixPath(pattern or "x").parts
        if pattern == "" or ".." in parts or parts[0] == "/":
            raise ValueError("expected a name inside {out}")
        return pattern

    @field_validator("scheme")
    @classmethod
    def _is_known(cls, scheme: str) -> str:
        if scheme not in SCHEMES:
            raise ValueError(f"expected one of {', '.join(SCHEMES)}")
        return scheme


_VERTEBRAE = tuple(
    f"vertebrae_{level.value}" for level in VertebraLevel if level.value not in ("T13", "L6")
)
_TOTALSEGMENTATOR = ("TotalSegmentator", "-i", "{ct}", "-o", "{out}/labels.nii.gz", "--ml")

BUILT_IN: Mapping[str, LocalizerTemplate] = MappingProxyType(
    {
        "totalsegmentator": LocalizerTemplate(
            command=(*_TOTALSEGMENTATOR, "--task", "total", "--roi_subset", *_VERTEBRAE),
            output="labels.nii.gz",
            scheme="totalsegmentator",
            distribution="TotalSegmentator",
            install="Install it into an environment of its own: pipx install TotalSegmentator.",
        ),
        # The 3 mm model: a minute instead of many on a CPU, with coarser heights.
        "totalsegmentator-fast": LocalizerTemplate(
            command=(*_TOTALSEGMENTATOR, "--fast", "--task", "total", "--roi_subset", *_VERTEBRAE),
            output="labels.nii.gz",
            scheme="totalsegmentator",
            distribution="TotalSegmentator",
            install="Install it into an environment of its own: pipx install TotalSegmentator.",
        ),
        "spine-segment": LocalizerTemplate(
            command=("spine-segment", "{ct}", "--output", "{out}"),
            output="*_vertebral-level.nii.gz",
            scheme="spine-segment",
            centroids="*_centroids.json",
            body="*_process-body.nii.gz",
            body_scheme="spine-segment",
            distribution="spine-segment",
            install="Install it into an environment of its own: pipx install spine-segment.",
        ),
    }
)


def read_localizers(path: Path | str | None = None) -> dict[str, LocalizerTemplate]:
    """Return the built-in tools and those of a TOML file, which may replace them.

    Parameters
    ----------
    path : path, optional
        TOML with one ``[localizers.NAME]`` section per tool; see
        :class:`LocalizerTemplate` for the keys.

    Raises
    ------
    ConfigError
        If the file is missing or broken, a key is unknown, or a value is wrong.

    Examples
    --------
    >>> sorted(read_localizers())
    ['spine-segment', 'totalsegmentator', 'totalsegmentator-fast']
    """
    if path is None:
        return dict(BUILT_IN)
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: is no readable TOML file: {error}. Correct it.") from None
    sections = content.get("localizers", {})
    if not isinstance(sections, dict) or not all(isinstance(s, dict) for s in sections.values()):
        raise ConfigError(f"{path}: expected sections named [localizers.NAME]; write them so.")
    own = {name: _template(f"[localizers.{name}] of {path}", s) for name, s in sections.items()}
    return {**BUILT_IN, **own}


def localizer_named(name: str, known: Mapping[str, LocalizerTemplate]) -> LocalizerTemplate:
    """Look up a tool.

    Raises
    ------
    ConfigError
        If there is none of that name; the nearest one is suggested.

    Examples
    --------
    >>> localizer_named("spine-segment", BUILT_IN).scheme
    'spine-segment'
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    raise ConfigError(
        f'localizer "{name}" is unknown; expected one of {", ".join(sorted(known))}.{hint} '
        "Others need a [localizers.NAME] section in a configuration file."
    )


def _template(where: str, section: dict[str, object]) -> LocalizerTemplate:
    try:
        return LocalizerTemplate.model_validate(section)
    except ValidationError as error:
        found = error.errors()
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        key = ".".join(str(part) for part in first["loc"])
        near = difflib.get_close_matches(key, LocalizerTemplate.model_fields, n=1)
        hint = f' Did you mean "{near[0]}"?' if near and near[0] != key else ""
        raise ConfigError(f'"{key}" in {where}: {first["msg"]}.{hint} Correct it.') from None
