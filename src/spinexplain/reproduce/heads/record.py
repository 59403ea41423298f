"""The figures of all runs so far, on disk after each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spinexplain.io.files import atomic_file


class Record:
    """The figures of runs by name and seed; what is there is not measured again.

    Parameters
    ----------
    path : Path
        JSON file; read if it is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self.runs = json.loads(path.read_text("utf-8"))

    def has(self, name: str, seed: int) -> bool:
        """Whether this run is done."""
        return str(seed) in self.runs.get(name, {})

    def complete(self, name: str, seeds: Sequence[int]) -> bool:
        """Whether the runs of all seeds are done."""
        return all(self.has(name, seed) for seed in seeds)

    def keep(self, name: str, seed: int, figures: dict[str, Any]) -> None:
        """Add the figures of a run and write the file, at once or not at all."""
        self.runs.setdefault(name, {})[str(seed)] = figures
        with atomic_file(self.path) as temporary:
            temporary.write_text(json.dumps(self.runs, indent=1), "utf-8")
