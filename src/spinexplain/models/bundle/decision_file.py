"""A file of a clinician's decisions about one model: what every kind of them has in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import FileFormatError, ModelError
from spinexplain.io.files import unreadable
from spinexplain.types import ModelInfo


class Frozen(BaseModel):
    """What a file holds, and nothing else; it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DecidedModel(Frozen):
    """Which model was decided about."""

    name: str
    version: str
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


File = TypeVar("File", bound=Frozen)


def dumped(decisions: Frozen) -> str:
    """Write decisions as the JSON that :func:`parsed` reads."""
    content = decisions.model_dump(mode="json", by_alias=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def parsed(path: Path, kind: type[File], expected: str, again: str) -> File:
    """Read a file of decisions.

    Parameters
    ----------
    path : Path
        JSON; a byte-order mark, as some programs put before UTF-8, is passed over.
    kind : type
        What it holds.
    expected, again : str
        For the message: what it should be, and where to save it anew.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or is not what the schema says.
    """
    try:
        return kind.model_validate(json.loads(path.read_text("utf-8-sig")))
    except OSError as error:
        raise unreadable(path, error) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where + ': ' if where else ''}{first['msg']}"
    except (UnicodeDecodeError, ValueError) as error:
        what = f"holds no JSON ({error})"
    raise FileFormatError(f"{path}: {what}; expected {expected}. Save them again {again}.")


def check_model(path: Path, decided: DecidedModel, info: ModelInfo, instead: str) -> None:
    """Make sure that decisions are about this model.

    Raises
    ------
    ModelError
        If the weights are others'.
    """
    if decided.weights_sha256 != info.weights_sha256:
        raise ModelError(
            f"{path}: decided about {decided.name} {decided.version} "
            f"({decided.weights_sha256[:12]}...), not about {info.name} {info.version} "
            f"({info.weights_sha256[:12]}...). {instead} and decide there."
        )
