"""Scans still to be made: each knows its file; those that are there are not made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol


class Task(Protocol):
    """One scan to make, prepare and store."""

    @property
    def path(self) -> Path: ...

    def make(self) -> None: ...


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def make_missing(tasks: Sequence[Task], jobs: int) -> Iterator[int]:
    """Make what is not there yet, side by side; yields how many are left."""
    missing = [task for task in tasks if not task.path.exists()]
    left = len(missing)
    for _ in _made(missing, jobs):
        left -= 1
        yield left


def _made(tasks: Sequence[Task], jobs: int) -> Iterator[None]:
    if jobs == 1:
        for task in tasks:
            yield task.make()
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(task.make) for task in tasks]):
            yield done.result()
