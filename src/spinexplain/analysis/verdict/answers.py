"""What a network says of a stored scan, stored too: asking all of them takes minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from spinexplain.analysis.verdict.boxes import detector_table
from spinexplain.analysis.verdict.table import witness_table
from spinexplain.io.files import atomic_file
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader


@dataclass(frozen=True)
class BenchAnswer:
    """One network on one stored scan, and the file that its answers are stored in.

    Parameters
    ----------
    model : str
        Name of a shipped network.
    scan : Path
        See :class:`~spinexplain.analysis.verdict.bench.BenchScan`; for a network on boxes those
        of :class:`~spinexplain.analysis.verdict.boxes.BoxedScan` lie beside it.
    folder : Path
        One for each network.
    """

    model: str
    scan: Path
    folder: Path

    @property
    def path(self) -> Path:
        """Where it is stored."""
        return self.folder / f"{self.scan.parent.name}-{self.scan.stem}.parquet"

    @property
    def is_current(self) -> bool:
        """Whether it is there, and not older than the scan."""
        return self.path.exists() and self.path.stat().st_mtime >= self.scan.stat().st_mtime

    def make(self) -> None:
        """Ask, and store what was said.

        Rows are those of :func:`~spinexplain.analysis.verdict.table.witness_table`, or of
        :func:`~spinexplain.analysis.verdict.boxes.detector_table` for a network on boxes.
        """
        grader = _grader(self.model)
        said = (witness_table if grader.spec.axes == 2 else detector_table)(grader, [self.scan])
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path) as temporary:
            said.to_parquet(temporary, index=False)


@cache
def _grader(name: str) -> Grader:
    return load_grader(name)


def read_answers(answers: Sequence[BenchAnswer]) -> pd.DataFrame:
    """Read stored answers as one table, scan by scan.

    Raises
    ------
    FileNotFoundError
        If one is not there.
    """
    tables = [pd.read_parquet(one.path) for one in sorted(answers, key=lambda one: one.path)]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)
