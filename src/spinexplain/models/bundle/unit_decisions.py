"""What a clinician decides about the units of one model's layer: a file, bound to the model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from spinexplain.errors import ModelError
from spinexplain.models.bundle.decision_file import (
    DecidedModel,
    Frozen,
    check_model,
    dumped,
    parsed,
)
from spinexplain.models.bundle.decisions import Reason
from spinexplain.types import ModelInfo

UNIT_DECISIONS_SCHEMA = "spinexplain/unit-decisions/1"


class UnitDecision(Frozen):
    """What was decided about one unit.

    Parameters
    ----------
    unit : int
        Counted from 0, as in the dissection.
    name : str
        As the page of the dissection names it.
    choice : {"keep", "not meaningful"}
    reason : str or None
        With ``"not meaningful"``.
    comment : str
    at : str
        When, as ISO 8601.

    Examples
    --------
    >>> mark = UnitDecision(unit=7, name="unit 7", choice="not meaningful", reason="artifact")
    >>> mark.rejects
    True
    """

    unit: int = Field(ge=0)
    name: str = Field(min_length=1, max_length=200)
    choice: Literal["keep", "not meaningful"]
    reason: Reason | None = None
    comment: str = Field(default="", max_length=500)
    at: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _complete(self) -> UnitDecision:
        if (self.choice == "not meaningful") != (self.reason is not None):
            raise ValueError(f'{self.name}: "not meaningful", and only that, needs a reason')
        return self

    @property
    def rejects(self) -> bool:
        """Whether the unit shall be silenced."""
        return self.choice != "keep"


class UnitDecisions(Frozen):
    """A file of decisions about units.

    Parameters
    ----------
    schema_name : str
        ``schema`` in the file.
    model : DecidedModel
    layer : str
        Whose units they are.
    reader : str
    decisions : tuple of UnitDecision
        At most one a unit.
    """

    schema_name: Literal["spinexplain/unit-decisions/1"] = Field(alias="schema")
    model: DecidedModel
    layer: str = Field(min_length=1)
    reader: str = Field(default="", max_length=80)
    decisions: tuple[UnitDecision, ...]

    @field_validator("decisions")
    @classmethod
    def _once(cls, decisions: tuple[UnitDecision, ...]) -> tuple[UnitDecision, ...]:
        numbers = [one.unit for one in decisions]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise ValueError(f"unit {twice[0]} is decided about twice")
        return decisions

    @property
    def rejected(self) -> tuple[int, ...]:
        """Units that shall be silenced, in rising order."""
        return tuple(sorted(one.unit for one in self.decisions if one.rejects))


def dumped_unit_decisions(decisions: UnitDecisions) -> str:
    """Write decisions as the JSON that :func:`read_unit_decisions` reads."""
    return dumped(decisions)


def read_unit_decisions(path: Path, info: ModelInfo, layer: str, units: int) -> UnitDecisions:
    """Read decisions about units and make sure that they are about this layer of this model.

    Parameters
    ----------
    path : Path
        A byte-order mark, as some programs put before UTF-8, is passed over.
    info : ModelInfo
    layer : str
        Whose units can be silenced.
    units : int
        How many it has.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or is not what the schema says.
    ModelError
        If it is about another model or layer, a unit that there is not, or rejects none or all.
    """
    expected = "decisions about units as the page of the dissection saves them"
    found = parsed(path, UnitDecisions, expected, "there")
    check_model(path, found.model, info, "Dissect this model")
    if found.layer != layer:
        raise ModelError(
            f'{path}: decides about units of layer "{found.layer}"; expected "{layer}", what the '
            "head listens to. Dissect that layer and decide there."
        )
    beyond = [one.unit for one in found.decisions if one.unit >= units]
    if beyond:
        raise ModelError(
            f"{path}: decides about unit {beyond[0]}; the layer has units 0 to {units - 1}. Save "
            "the decisions again from the page of the dissection."
        )
    if not 0 < len(found.rejected) < units:
        raise ModelError(
            f"{path}: rejects {len(found.rejected)} of {units} units; expected at least one, and "
            "one that stays. Nothing is to be done."
        )
    return found
