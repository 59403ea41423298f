"""How often a model named the right side where that was tested, kept in its bundle for reports."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import ModelError, OutputError
from spinexplain.io.files import atomic_file, sha256_file
from spinexplain.models.bundle.folder import read_json, verify, write_json, write_manifest
from spinexplain.types import SideReliability

SIDES_FILE = "side_reliability.json"
SIDES_SCHEMA = "spinexplain/side-reliability/1"

Share = Field(ge=0, le=1)


class _Sides(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str
    offsets_mm: tuple[float, ...] = Field(min_length=1)
    least: float = Field(gt=0)
    right: float = Share
    low: float = Share
    high: float = Share
    fractures: int = Field(ge=1)
    named: float = Share
    right_of_named: float = Share
    straight_named: float = Share
    straight: int = Field(ge=0)
    heights: float = Share


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_name: Literal["spinexplain/side-reliability/1"] = Field(alias="schema")
    weights_sha256: str
    sides: _Sides


def read_sides(folder: Path, weights_sha256: str) -> SideReliability | None:
    """Read what was found for a model; None where nothing was stored.

    Parameters
    ----------
    folder : Path
        Of a bundle whose files were verified.
    weights_sha256 : str
        Of the model's weights.

    Raises
    ------
    ModelError
        If the file is damaged, or is of other weights.
    """
    path = folder / SIDES_FILE
    if not path.is_file():
        return None
    try:
        found = _File.model_validate(read_json(path))
    except ValidationError as error:
        raise ModelError(
            f"{path} is damaged ({error.errors()[0]['msg']}); expected what the study of sides "
            "stores. Store it again, or delete the file."
        ) from None
    if found.weights_sha256 != weights_sha256:
        raise ModelError(
            f"{path} is of other weights than model.safetensors. Delete the file: reports then "
            "name no side."
        )
    return SideReliability(**found.sides.model_dump())


def store_sides(folder: Path, found: SideReliability) -> None:
    """Put what was found into a bundle, in place of what was there, and list it.

    Parameters
    ----------
    folder : Path
        Of a bundle.
    found : SideReliability

    Raises
    ------
    ModelError
        If the bundle is damaged.
    OutputError
        If it cannot be written.
    """
    verify(folder)
    content = {
        "schema": SIDES_SCHEMA,
        "weights_sha256": sha256_file(folder / "model.safetensors"),
        "sides": {**asdict(found), "offsets_mm": list(found.offsets_mm)},
    }
    _File.model_validate(content)
    try:
        with atomic_file(folder / SIDES_FILE) as temporary:
            write_json(temporary, content)
        write_manifest(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
