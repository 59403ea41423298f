"""What tests of explanations found for a model, kept in its bundle for reports to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import ModelError, OutputError
from spinexplain.io.files import atomic_file, sha256_file
from spinexplain.models.bundle.folder import read_json, verify, write_json, write_manifest
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


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_name: Literal["spinexplain/evidence-reliability/1"] = Field(alias="schema")
    weights_sha256: str
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
    path = folder / EVIDENCE_FILE
    if not path.is_file():
        return ()
    try:
        found = _File.model_validate(read_json(path))
    except ValidationError as error:
        raise ModelError(
            f"{path} is damaged ({error.errors()[0]['msg']}); expected what score-explanations "
            "stores. Score the model's explanations again with --store, or delete the file."
        ) from None
    if found.weights_sha256 != weights_sha256:
        raise ModelError(
            f"{path} is of other weights than model.safetensors. Score the explanations of this "
            "model again with --store."
        )
    return tuple(
        EvidenceReliability(method=name, **one.model_dump())
        for name, one in found.explainers.items()
    )


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
    verify(folder)
    content = {
        "schema": EVIDENCE_SCHEMA,
        "weights_sha256": sha256_file(folder / "model.safetensors"),
        "explainers": {one.method: _without_method(asdict(one)) for one in found},
    }
    _File.model_validate(content)
    try:
        with atomic_file(folder / EVIDENCE_FILE) as temporary:
            write_json(temporary, content)
        write_manifest(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None


def _without_method(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "method"}
