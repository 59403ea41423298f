"""What clinicians call units: one file a rater, bound to one model's weights and layer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import atomic_file, unreadable

NAMES_SCHEMA = "spinexplain/unit-names/1"
NAMES_FILE = "names.json"


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class UnitName(_Checked):
    """What one rater says about one unit.

    Parameters
    ----------
    unit : int
    name : str
        What it responds to, in the rater's words; may be empty.
    meaningful : bool or None
        Whether that means anything clinically; None where the rater left it open.
    note : str
    """

    unit: int = Field(ge=0)
    name: str = Field(default="", max_length=120)
    meaningful: bool | None = None
    note: str = Field(default="", max_length=2000)


class RaterNames(_Checked):
    """Everything one rater says about one layer; the file the atlas page exports.

    Parameters
    ----------
    key : str
        Of the dissection, see :attr:`Dissection.key`.
    rater : str
    names : tuple of UnitName
    model, layer : str
        For people to read; the key is what counts.
    """

    schema_: Literal["spinexplain/unit-names/1"] = Field(alias="schema")
    key: str
    rater: str = Field(min_length=1, max_length=80)
    names: tuple[UnitName, ...]
    model: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Consensus:
    """What several raters say about a unit.

    Parameters
    ----------
    name : str
        The name most gave it; different names with as many raters stand side by side.
        Empty where nobody named it.
    raters : int
        How many gave it a name or a verdict.
    meaningful, meaningless : int
        How many found it clinically meaningful, or not.
    """

    name: str = ""
    raters: int = 0
    meaningful: int = 0
    meaningless: int = 0


def read_raters(path: str | Path, key: str, units: int) -> tuple[RaterNames, ...]:
    """Read what one rater exported, or the names beside another copy of a dissection.

    Parameters
    ----------
    path : str or Path
    key : str
        The dissection's.
    units : int
        Units of the layer.

    Raises
    ------
    FileFormatError
        If it is no rater's file.
    ConfigError
        If it is about another model or layer, names a unit that is not there, or gives one
        unit two different names.
    """
    content = _read(Path(path))
    found = content if isinstance(content, list) and content else [content]
    return tuple(_checked(path, _parse(path, item), key, units) for item in found)


def _checked(path: str | Path, rater: RaterNames, key: str, units: int) -> RaterNames:
    if rater.key != key:
        raise ConfigError(
            f'{path}: these names are of layer "{rater.layer}" of "{rater.model}" (key '
            f"{rater.key[:12]}); expected those of this layer of these very weights (key "
            f"{key[:12]}). Names of units mean nothing elsewhere."
        )
    for item in rater.names:
        if item.unit >= units:
            raise ConfigError(
                f"{path}: names unit {item.unit}; the layer has units 0 to {units - 1}."
            )
    return _without_repeats(path, rater)


def merge_names(
    known: Sequence[RaterNames], new: RaterNames, replace: bool = False, source: str = ""
) -> tuple[RaterNames, ...]:
    """Add a rater's names to those that are known.

    Parameters
    ----------
    known : sequence of RaterNames
    new : RaterNames
    replace : bool
        Whether the rater's new words replace older ones about the same unit.
    source : str
        Where the new ones come from, for the message.

    Raises
    ------
    ConfigError
        If the rater called a unit something else before, and ``replace`` is not set.
    """
    old = next((rater for rater in known if rater.rater == new.rater), None)
    if old is None:
        return (*known, new)
    said = {item.unit: item for item in old.names}
    for item in new.names:
        before = said.get(item.unit)
        if before is not None and before != item and not replace:
            raise ConfigError(
                f'{source}rater "{new.rater}" said "{_in_words(before)}" of unit {item.unit} '
                f'before and now says "{_in_words(item)}"; expected the same. Add --replace to '
                "keep the new words, or use another rater's name."
            )
        said[item.unit] = item
    names = tuple(said[unit] for unit in sorted(said))
    merged = new.model_copy(update={"names": names})
    return tuple(merged if rater.rater == new.rater else rater for rater in known)


def read_names(folder: Path, key: str) -> tuple[RaterNames, ...]:
    """Read the names beside a dissection; none where nobody named anything.

    Raises
    ------
    FileFormatError
        If the file is broken.
    ConfigError
        If the names are of another model or layer.
    """
    path = folder / NAMES_FILE
    if not path.is_file():
        return ()
    content = _read(path)
    if not isinstance(content, list):
        raise FileFormatError(f"{path}: expected a list of raters. Copy it again.")
    raters = tuple(_parse(path, item) for item in content)
    if any(rater.key != key for rater in raters):
        raise ConfigError(
            f"{path}: these names are of another model or layer; names of units mean nothing "
            "elsewhere. Move the file away, or dissect into another folder."
        )
    return raters


def write_names(folder: Path, raters: Sequence[RaterNames]) -> Path:
    """Write the names beside a dissection, whole or not at all."""
    path = folder / NAMES_FILE
    content = [rater.model_dump(mode="json", by_alias=True) for rater in raters]
    with atomic_file(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def consensus(raters: Sequence[RaterNames], unit: int) -> Consensus:
    """Sum up what raters say about a unit.

    Examples
    --------
    >>> def rater(who, name):
    ...     said = [{"unit": 3, "name": name, "meaningful": True}]
    ...     content = {"schema": NAMES_SCHEMA, "key": "k", "rater": who, "names": said}
    ...     return RaterNames.model_validate(content)
    >>> consensus([rater("A", "endplate"), rater("B", "Endplate"), rater("C", "disc")], 3)
    Consensus(name='endplate', raters=3, meaningful=3, meaningless=0)
    """
    said = [item for rater in raters for item in rater.names if item.unit == unit]
    said = [item for item in said if item.name or item.meaningful is not None]
    counts = Counter(item.name.casefold() for item in said if item.name)
    most = max(counts.values(), default=0)
    best = [key for key, count in counts.items() if count == most]
    shown = [next(item.name for item in said if item.name.casefold() == key) for key in best]
    return Consensus(
        name=" / ".join(shown),
        raters=len(said),
        meaningful=sum(item.meaningful is True for item in said),
        meaningless=sum(item.meaningful is False for item in said),
    )


def _in_words(item: UnitName) -> str:
    verdict = {True: "meaningful", False: "not meaningful", None: "no verdict"}[item.meaningful]
    return f"{item.name or 'no name'}, {verdict}"


def _without_repeats(path: str | Path, rater: RaterNames) -> RaterNames:
    said: dict[int, UnitName] = {}
    for item in rater.names:
        before = said.setdefault(item.unit, item)
        if before != item:
            raise ConfigError(
                f'{path}: unit {item.unit} is "{_in_words(before)}" and "{_in_words(item)}"; '
                "expected one entry. Delete the other."
            )
    return rater.model_copy(update={"names": tuple(said.values())})


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError as error:
        raise FileFormatError(
            f"{path}: cannot be read as JSON ({error}); expected what the concept atlas exports. "
            "Export it again."
        ) from None


def _parse(path: str | Path, content: Any) -> RaterNames:
    try:
        return RaterNames.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileFormatError(
            f"{path}: {place}: {first['msg']}; expected what the concept atlas exports "
            f"({NAMES_SCHEMA}). Export it again."
        ) from None
