"""Stored results as they were measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def stored(results: Path, name: str) -> Any:
    """Read ``name`` (JSON) from the folder of results."""
    path = results / name
    if not path.is_file():
        raise SystemExit(f"{path} is not there; measure it with `spinexplain reproduce --fresh`.")
    return json.loads(path.read_text("utf-8"))
