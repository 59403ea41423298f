"""Scans still to be made: each knows its file; those that are there are not made again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import spinexplain
from spinexplain.progress import SILENT, Progress
from spinexplain.workers import run_all

SETTLING = ("localizer/*.py", "spine/body_middle.py", "spine/checks/placement.py")
"""Source files that say where in its body a given center comes to lie, and with which flags."""


class Task(Protocol):
    """One scan to make, prepare and store."""

    @property
    def path(self) -> Path: ...  # noqa: D102

    def make(self) -> None: ...  # noqa: D102


AnyTask = TypeVar("AnyTask", bound=Task)


def code_hash(*patterns: str, but: Sequence[str] = ()) -> str:
    """Hash source files of the package: what other code prepared is not mixed in."""
    package = Path(spinexplain.__file__).parent
    found = {path for pattern in patterns for path in package.glob(pattern)}
    files = sorted(path for path in found if path.stem not in but)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def slug(name: str) -> str:
    """Make a name fit for a folder.

    Examples
    --------
    >>> slug("Schmorl's nodes")
    'schmorl-s-nodes'
    """
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def make_missing(tasks: Sequence[Task], jobs: int, progress: Progress = SILENT) -> None:
    """Make what is not there yet, side by side.

    Raises
    ------
    OutputError
        If a process was killed twice; the other scans are made then.
    """
    missing = [task for task in tasks if not task.path.exists()]
    run_all(_make, missing, jobs, name=_name, progress=progress, step="Scans")


def _make(task: Task) -> None:
    task.make()


def _name(task: Task) -> str:
    return task.path.name


def there(tasks: Sequence[AnyTask]) -> list[AnyTask]:
    """Keep the tasks whose scan is made."""
    return [task for task in tasks if task.path.exists()]


def evenly(groups: Sequence[Sequence[Task]]) -> list[Task]:
    """Mix groups, so that all have come equally far whenever one looks."""
    placed = [(k / len(group), task) for group in groups for k, task in enumerate(group)]
    return [task for _, task in sorted(placed, key=lambda pair: pair[0])]
