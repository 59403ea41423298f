"""The JSON Schema of ``result.json``, generated from its types and shipped with the package."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from spinexplain.results.result import Result

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generated_schema() -> dict[str, Any]:
    """Derive the JSON Schema from the types.

    Examples
    --------
    >>> generated_schema()["properties"]["schema"]["const"]
    'spinexplain/result/1'
    """
    return {"$schema": DIALECT, **Result.model_json_schema(by_alias=True)}


def read_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``result.json`` that is shipped with the package.

    Examples
    --------
    >>> read_schema()["properties"]["schema"]["const"]
    'spinexplain/result/1'
    """
    schema: dict[str, Any] = json.loads(schema_file().read_text(encoding="utf-8"))
    return schema


def schema_file() -> Path:
    """Return where the shipped schema is."""
    return Path(str(resources.files("spinexplain.results") / "schema" / "result-1.json"))


def schema_text() -> str:
    """Return what the shipped file must hold."""
    return json.dumps(generated_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    schema_file().write_text(schema_text(), encoding="utf-8")
