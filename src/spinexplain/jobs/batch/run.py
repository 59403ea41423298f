"""A whole archive: what is left to do, done, and indexed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.io.files import kept_folder
from spinexplain.jobs.batch.crew import Crew, grade_in_processes
from spinexplain.jobs.batch.index import write_index
from spinexplain.jobs.batch.manifest import ArchiveScan, read_manifest
from spinexplain.jobs.batch.outcome import CRASHED, GRADED, REFUSED, Outcome, outcome_of


@dataclass(frozen=True)
class BatchRequest:
    """What ``batch`` was asked for.

    Parameters
    ----------
    manifest, out : Path
    models : tuple of str
    crew : Crew
    retry : bool
        Whether scans that were refused or crashed are tried again.
    address : str or None
        Of a Ray cluster; ``"local"`` for one on this machine.
    """

    manifest: Path
    out: Path
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    crew: Crew = field(default_factory=Crew)
    retry: bool = False
    address: str | None = None


@dataclass(frozen=True)
class BatchReport:
    """How many scans are in each state, those of earlier runs included."""

    graded: int
    refused: int
    crashed: int


def run_batch(
    request: BatchRequest, started: Callable[[int, int], None], ended: Callable[[Outcome], None]
) -> BatchReport:
    """Grade what is left of an archive, then write its index.

    Parameters
    ----------
    request : BatchRequest
    started : callable
        Called with the number of scans and of those left to do.
    ended : callable
        Called with every outcome.

    Raises
    ------
    FileFormatError, ConfigError
        If the manifest is wrong; nothing is graded then.
    ModelError
        If a model cannot be loaded; nothing is graded then.
    """
    scans = read_manifest(request.manifest)
    load = partial(load_graders, request.models)
    kept_folder(request.out)
    todo = left_to_do(scans, request.out, request.retry)
    if todo:
        load()  # a model that is missing must not crash every worker
    started(len(scans), len(todo))
    for outcome in _outcomes(todo, request, load):
        ended(outcome)
    write_index(scans, request.out)
    found = [outcome_of(request.out, scan.name) for scan in scans]
    counts = Counter(one.state for one in found if one is not None)
    return BatchReport(counts[GRADED], counts[REFUSED], counts[CRASHED])


def left_to_do(scans: Sequence[ArchiveScan], out: Path, retry: bool = False) -> list[ArchiveScan]:
    """Return the scans without an outcome; with ``retry`` those not graded."""
    wanted = []
    for scan in scans:
        outcome = outcome_of(out, scan.name)
        if outcome is None or (retry and outcome.state != GRADED):
            wanted.append(scan)
    return wanted


def load_graders(models: tuple[str, ...]) -> tuple[Any, ...]:
    """Load the models of a batch."""
    from spinexplain.models.bundle.store import load_grader

    return tuple(load_grader(model) for model in models)


def _outcomes(
    todo: list[ArchiveScan], request: BatchRequest, load: Callable[[], Sequence[Any]]
) -> Iterator[Outcome]:
    if request.address is None:
        yield from grade_in_processes(todo, request.out, load, request.crew)
        return
    from spinexplain.jobs.batch.on_ray import grade_on_ray

    yield from grade_on_ray(todo, request.out, load, request.crew, request.address)
