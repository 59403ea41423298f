"""What the parts of ``result.json`` are built of: a strict base, and fields with bounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
LevelName = Annotated[str, Field(pattern="^(C[1-7]|T([1-9]|1[0-3])|L[1-6])$")]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Loss = Annotated[float, Field(le=1)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Length = Annotated[float, Field(gt=0)]


class ResultPart(BaseModel):
    """A frozen part of a result; unknown keys and numbers that are not finite are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
