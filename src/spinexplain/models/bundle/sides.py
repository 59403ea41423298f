"""How often a model named the right side where that was tested, kept in its bundle for reports."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spinexplain.models.bundle.beside_weights import (
    OfWeights,
    read_beside_weights,
    store_beside_weights,
)
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


class _File(OfWeights):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_name: Literal["spinexplain/side-reliability/1"] = Field(alias="schema")
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
    found = read_beside_weights(
        folder / SIDES_FILE,
        _File,
        weights_sha256,
        "expected what the study of sides stores. Store it again, or delete the file.",
        "Delete the file: reports then name no side.",
    )
    return SideReliability(**found.sides.model_dump()) if found else None


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
    sides = {**asdict(found), "offsets_mm": list(found.offsets_mm)}
    store_beside_weights(folder / SIDES_FILE, _File, {"schema": SIDES_SCHEMA, "sides": sides})
