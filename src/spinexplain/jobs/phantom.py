"""Synthetic spines with known truth, in VerSe's layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class PhantomRequest:
    """What ``phantom`` is asked for.

    Parameters
    ----------
    out : Path
        Folder to write, or to go on with.
    subjects : int
        How many spines.
    seed : int
    preset : str
    twins : bool
        Whether every spine is written without its fractures too.
    jobs : int
        Processes that draw side by side.
    """

    out: Path
    subjects: int = 1
    seed: int = 0
    preset: str = "balanced"
    twins: bool = False
    jobs: int = 1
    force: bool = False


@dataclass(frozen=True)
class WrittenPhantoms:
    """Where the scans are.

    Parameters
    ----------
    scans : Path
    table : Path
        The fracture table.
    more : int
        Subjects in the folder beyond those asked for.
    """

    scans: Path
    table: Path
    more: int


def phantom_to_folder(request: PhantomRequest, progress: Progress = SILENT) -> WrittenPhantoms:
    """Draw the spines that are not there yet, and write table and truth.

    Raises
    ------
    SpinexplainError
        If a number or the preset is wrong, the folder holds something else, or a process that
        draws was killed twice.
    """
    from spinexplain.data.phantom.write import begun_subjects, write_phantom

    out = request.out
    table = write_phantom(
        out,
        request.subjects,
        request.seed,
        request.preset,
        request.jobs,
        force=request.force,
        twins=request.twins,
        progress=progress,
    )
    return WrittenPhantoms(out / "rawdata", table, len(begun_subjects(out)) - request.subjects)
