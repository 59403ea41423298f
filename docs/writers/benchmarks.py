"""docs/benchmarks.md, as benchmarks/run.py writes it from its results."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def written(before: str, results: Path) -> str:
    """Return the page."""
    spec = importlib.util.spec_from_file_location("bench_run", BENCHMARKS / "run.py")
    assert spec is not None
    assert spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    found = sorted((BENCHMARKS / "results").glob("*.json"))
    return run.HEAD + "".join(run.table(json.loads(path.read_text())) for path in found)
