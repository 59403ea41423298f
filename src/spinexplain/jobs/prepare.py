"""Folders of scans in, a cohort out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class PrepareRequest:
    """What ``prepare`` is asked for.

    Parameters
    ----------
    sources : tuple of Path
        Folders in any layout of VerSe.
    table : Path, optional
        Fracture table.
    out : Path
    patches : {"2d", "3d", "both"}
    overrides : Path, optional
        CSV of corrected labels.
    folds : int, Path or None
        How many to make, or a CSV of them; by default five where there are enough subjects.
    seed : int
    jobs : int
        Processes that prepare side by side.
    """

    sources: tuple[Path, ...]
    table: Path | None
    out: Path
    patches: str = "2d"
    overrides: Path | None = None
    folds: int | Path | None = None
    seed: int = 0
    jobs: int = 1
    force: bool = False


def prepare_to_cohort(request: PrepareRequest, progress: Progress = SILENT) -> dict[str, Any]:
    """Turn the scans into a cohort and return what its ``summary.json`` holds.

    Raises
    ------
    SpinexplainError
        If a source, the table or an option is wrong, or the output exists. Series that are
        finished by then are kept.
    """
    from spinexplain.data.cohort_overview import read_summary
    from spinexplain.data.prepare import PrepareOptions, prepare

    options = PrepareOptions(
        patches=request.patches,
        jobs=request.jobs,
        overrides=request.overrides,
        folds=request.folds,
        seed=request.seed,
        force=request.force,
    )
    cohort = prepare(request.sources, request.table, request.out, options, progress)
    return read_summary(cohort.path / "summary.json")
