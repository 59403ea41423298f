"""What tests of explanations found for a model, kept in its bundle for reports to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from spinexplain.models.bundle.beside_weights import (
    OfWeights,
    read_beside_weights,
    store_beside_weights,
)
from spinexplain.types import EvidenceReliability

EVIDENCE_FILE = "evidence_reliability.json"
EVIDENCE_SCHEMA = "spinexplain/evidence-reliability/1"

Share = Field(ge=0, le=1)


class _Explainer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str
    endplate: float = Share
    low: float | None = Field(default=None, ge=0, le=1)
    high: float | None = Field(default=None, ge=0, le=1)
    fractures: int = Field(ge=1)
    equally_convincing: float | None = Field(default=None, ge=0, le=1)
    false_alarms: int = Field(default=0, ge=0)


class _File(OfWeights):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_name: Literal["spinexplain/evidence-reliability/1"] = Field(alias="schema")
    explainers: dict[str, _Explainer]


def read_evidence(folder: Path, weights_sha256: str) -> tuple[EvidenceReliability, ...]:
    """Read what was found for a model's explainers; nothing where nothing was stored.

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
        folder / EVIDENCE_FILE,
        _File,
        weights_sha256,
        "expected what score-explanations stores. Score the model's explanations again with "
        "--store, or delete the file.",
        "Score the explanations of this model again with --store.",
    )
    named = found.explainers.items() if found else ()
    return tuple(EvidenceReliability(method=name, **one.model_dump()) for name, one in named)


def store_evidence(folder: Path, found: Sequence[EvidenceReliability]) -> None:
    """Put what was found into a bundle, in place of what was there, and list it.

    Parameters
    ----------
    folder : Path
        Of a bundle.
    found : sequence of EvidenceReliability

    Raises
    ------
    ModelError
        If the bundle is damaged.
    OutputError
        If it cannot be written.
    """
    explainers = {one.method: _without_method(asdict(one)) for one in found}
    content = {"schema": EVIDENCE_SCHEMA, "explainers": explainers}
    store_beside_weights(folder / EVIDENCE_FILE, _File, content)


def _without_method(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "method"}
