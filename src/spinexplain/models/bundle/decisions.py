"""What a clinician decides about the prototypes of one model: a file, bound to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from spinexplain.errors import ModelError
from spinexplain.models.bundle.decision_file import (
    DecidedModel,
    Frozen,
    check_model,
    dumped,
    parsed,
)
from spinexplain.types import ModelInfo

DECISIONS_SCHEMA = "spinexplain/decisions/1"
CELL_MM = 4
"""Side of a cell that is painted on a crop."""

Choice = Literal["keep", "not meaningful", "never this region"]
Reason = Literal["outside the vertebra", "duplicate", "artifact", "other"]
CHOICES: tuple[Choice, ...] = ("keep", "not meaningful", "never this region")
REASONS: tuple[Reason, ...] = ("outside the vertebra", "duplicate", "artifact", "other")

Row = Annotated[str, Field(pattern=r"^[01]+$", max_length=256)]


class Decision(Frozen):
    """What was decided about one prototype.

    Parameters
    ----------
    prototype : int
        Counted from 1, in the order of the atlas.
    name : str
        As the atlas names it.
    choice : str
        ``"keep"``, ``"not meaningful"`` or ``"never this region"``.
    reason : str or None
        With ``"not meaningful"``.
    region : tuple of str
        With ``"never this region"``: a row of the crop each, cranial first, of ``0`` and ``1``
        from anterior to posterior, a character for 4 mm.
    comment : str
    at : str
        When, as ISO 8601.

    Examples
    --------
    >>> Decision(prototype=1, name="G2, 1", choice="not meaningful", reason="artifact").reason
    'artifact'
    """

    prototype: int = Field(ge=1)
    name: str = Field(min_length=1, max_length=120)
    choice: Choice
    reason: Reason | None = None
    region: tuple[Row, ...] = ()
    comment: str = Field(default="", max_length=500)
    at: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _complete(self) -> Decision:
        if (self.choice == "not meaningful") != (self.reason is not None):
            raise ValueError(f'{self.name}: "not meaningful", and only that, needs a reason')
        if (self.choice == "never this region") != bool(self.region):
            raise ValueError(f'{self.name}: "never this region", and only that, needs a region')
        if self.region and not any("1" in row for row in self.region):
            raise ValueError(f"{self.name}: nothing is painted in its region")
        return self

    @property
    def rejects(self) -> bool:
        """Whether the prototype shall not stay as it is."""
        return self.choice != "keep"


class Decisions(Frozen):
    """A file of decisions.

    Parameters
    ----------
    schema_name : str
        ``schema`` in the file.
    model : DecidedModel
    reader : str
        Who decided; a name or a number as the site wishes.
    decisions : tuple of Decision
        At most one a prototype.
    """

    schema_name: Literal["spinexplain/decisions/1"] = Field(alias="schema")
    model: DecidedModel
    reader: str = Field(default="", max_length=80)
    decisions: tuple[Decision, ...]

    @field_validator("decisions")
    @classmethod
    def _once(cls, decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
        numbers = [one.prototype for one in decisions]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise ValueError(f"prototype {twice[0]} is decided about twice")
        return decisions

    @property
    def rejected(self) -> tuple[Decision, ...]:
        """Those about prototypes that shall not stay as they are."""
        return tuple(one for one in self.decisions if one.rejects)


def decisions_of(info: ModelInfo, reader: str, decisions: Sequence[Mapping[str, Any]]) -> Decisions:
    """Put decisions about a model together.

    Raises
    ------
    pydantic.ValidationError
        If one is not sound.
    """
    model = {k: getattr(info, k) for k in ("name", "version", "weights_sha256")}
    content = {"schema": DECISIONS_SCHEMA, "model": model, "reader": reader}
    return Decisions.model_validate(content | {"decisions": list(decisions)})


def dumped_decisions(decisions: Decisions) -> str:
    """Write decisions as the JSON that :func:`read_decisions` reads."""
    return dumped(decisions)


def read_decisions(
    path: Path, info: ModelInfo, names: Sequence[str], cells: tuple[int, int] | None
) -> Decisions:
    """Read decisions and make sure that they are about this model.

    Parameters
    ----------
    path : Path
    info : ModelInfo
    names : sequence of str
        Of the model's prototypes.
    cells : tuple of 2 ints, or None
        Rows and columns of a region painted on its crops; None where none can be painted.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or is not what the schema says.
    ModelError
        If it is about another model, a prototype that there is not, or a region of another
        shape.
    """
    found = parsed(
        path, Decisions, "decisions as the atlas saves them", "from the atlas or the reader"
    )
    check_model(path, found.model, info, "Make an atlas of this model")
    for one in found.decisions:
        _check_prototype(path, one, names)
        _check_region(path, one, cells)
    return found


def _check_prototype(path: Path, one: Decision, names: Sequence[str]) -> None:
    if one.prototype > len(names):
        raise ModelError(
            f"{path}: decides about prototype {one.prototype}; the model has {len(names)}. Save "
            "the decisions again from its atlas."
        )
    if names[one.prototype - 1] != one.name:
        raise ModelError(
            f"{path}: calls prototype {one.prototype} {one.name!r}; the model calls it "
            f"{names[one.prototype - 1]!r}. Save the decisions again from its atlas."
        )


def _check_region(path: Path, one: Decision, cells: tuple[int, int] | None) -> None:
    if not one.region:
        return
    if cells is None:
        raise ModelError(
            f"{path}: {one.name} has a painted region; regions are painted on sheets, and this "
            'model sees boxes. Decide "not meaningful" instead.'
        )
    widths = {len(row) for row in one.region}
    if len(one.region) != cells[0] or widths != {cells[1]}:
        raise ModelError(
            f"{path}: the region of {one.name} has {len(one.region)} rows of "
            f"{', '.join(map(str, sorted(widths)))}; expected {cells[0]} rows of {cells[1]}. Paint "
            "it again in the model's atlas."
        )


def painted_cells(extent_mm: float, axes: int) -> tuple[int, int] | None:
    """Return rows and columns of a painted region; None for boxes.

    Examples
    --------
    >>> painted_cells(112.0, 2), painted_cells(112.0, 3)
    ((28, 28), None)
    """
    side = -(-round(extent_mm) // CELL_MM)
    return (side, side) if axes == 2 else None
