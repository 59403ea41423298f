"""Processes that grade one scan at a time; one that dies costs no more than its scan.

Beside :mod:`spinexplain.workers`: a crew keeps models loaded, limits the time of a scan, stands
apart from its parent even with one worker, and loses one process where a pool would be made anew.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import CRASHED, Outcome, grade_one, write_refusal

Load = Callable[[], Sequence[Any]]
Work = Callable[[ArchiveScan, Path, Sequence[Any]], Outcome]


@dataclass(frozen=True)
class Crew:
    """How many processes work, and how long each may take.

    Parameters
    ----------
    workers : int
    attempts : int
        How often a scan may kill its worker before it is given up.
    scan_seconds : float
        After which a worker that does not come back is killed.
    """

    workers: int = 1
    attempts: int = 2
    scan_seconds: float = 1800.0


@dataclass(eq=False)
class _Worker:
    process: Any
    connection: Connection
    scan: ArchiveScan | None = None
    started: float = 0.0


def grade_in_processes(
    scans: Sequence[ArchiveScan], out: Path, load: Load, crew: Crew, work: Work = grade_one
) -> Iterator[Outcome]:
    """Grade scans in processes of this machine.

    Parameters
    ----------
    scans : sequence of ArchiveScan
    out : Path
    load : callable
        Loads the models, once a process.
    crew : Crew
    work : callable
        Grades one scan.

    Yields
    ------
    Outcome
        In the order in which scans end. A scan whose worker dies is tried again by a fresh one,
        and is ``"crashed"`` after ``crew.attempts``.
    """
    waiting = deque(scans)
    failures: dict[str, int] = {}
    crews: list[_Worker] = []
    try:
        while waiting or any(worker.scan for worker in crews):
            _fill(crews, waiting, out, load, crew, work)
            for worker in _ended(crews, crew.scan_seconds):
                outcome = _collected(worker)
                if outcome is not None:
                    yield outcome
                    continue
                crews.remove(worker)
                scan = worker.scan
                assert scan is not None
                failures[scan.name] = failures.get(scan.name, 0) + 1
                if failures[scan.name] < crew.attempts:
                    waiting.append(scan)
                else:
                    yield given_up(scan, out, failures[scan.name])
    finally:
        for worker in crews:
            _stop(worker)


def _fill(
    crews: list[_Worker],
    waiting: deque[ArchiveScan],
    out: Path,
    load: Load,
    crew: Crew,
    work: Work,
) -> None:
    """Give every idle worker a scan, and start workers that are missing."""
    for worker in [w for w in crews if w.scan is None and not w.process.is_alive()]:
        crews.remove(worker)
    busy = sum(worker.scan is not None for worker in crews)
    while len(crews) < min(crew.workers, busy + len(waiting)):
        crews.append(_started(out, load, work))
    for worker in crews:
        if worker.scan is None and waiting:
            worker.scan, worker.started = waiting.popleft(), time.monotonic()
            with suppress(OSError):  # it died just now: it is found dead below
                worker.connection.send(worker.scan)


def _started(out: Path, load: Load, work: Work) -> _Worker:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, out, load, work), daemon=True)
    process.start()
    theirs.close()  # so that its death ends the pipe
    return _Worker(process, ours)


def _serve(connection: Connection, out: Path, load: Load, work: Work) -> None:
    """Grade what comes through the pipe until it ends, as it does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    models = load()
    while True:
        try:
            scan = connection.recv()
            connection.send(work(scan, out, models))
        except (EOFError, OSError):
            os._exit(0)


def _ended(crews: list[_Worker], scan_seconds: float) -> list[_Worker]:
    """Wait until a worker answers, dies, or takes too long; return those."""
    busy = [worker for worker in crews if worker.scan is not None]
    deadline = min(worker.started for worker in busy) + scan_seconds
    pipes = {worker.connection: worker for worker in busy}
    ready = wait(list(pipes), timeout=max(deadline - time.monotonic(), 0.0))
    if ready:
        return [pipes[one] for one in ready]  # type: ignore[index]
    late = [w for w in busy if time.monotonic() - w.started >= scan_seconds]
    for worker in late:
        _stop(worker)
    return late


def _collected(worker: _Worker) -> Outcome | None:
    """Return a worker's answer, or None where it died."""
    try:
        outcome: Outcome = worker.connection.recv()
    except (EOFError, OSError):
        _stop(worker)
        return None
    worker.scan = None
    return outcome


def _stop(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


def given_up(scan: ArchiveScan, out: Path, attempts: int) -> Outcome:
    """Write that a scan is given up, because its workers died or hung."""
    words = f"its worker died or hung {attempts} times; grade it alone to see why."
    outcome = Outcome(scan.name, CRASHED, "WorkerDied", words)
    write_refusal(out, outcome)
    return outcome
