"""How a long job says where it is: stages, counted steps and lines of text.

Jobs take a :class:`Progress` and call it; the command line draws it, the reader sends it to
the browser, and by default it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """Hears from a job what it is doing.

    A job calls it from one thread of its own process only. What a listener raises ends the
    job as any error does, so a listener can also cancel.
    """

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Return the context in which a stage of the job runs."""
        ...

    def step(self, name: str, done: int, total: int) -> None:
        """Hear that ``done`` of ``total`` steps of what is called ``name`` are finished."""
        ...

    def note(self, line: str) -> None:
        """Hear one line for the user: a warning, or what a program that is called prints."""
        ...


@dataclass(frozen=True)
class Silent:
    """Says nothing.

    Examples
    --------
    >>> with SILENT.stage("read"):
    ...     SILENT.step("slices", 3, 10)
    """

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Run a stage without a word."""
        return nullcontext()

    def step(self, name: str, done: int, total: int) -> None:
        """Say nothing of a step."""

    def note(self, line: str) -> None:
        """Drop a line."""


SILENT: Progress = Silent()


@dataclass(frozen=True)
class Steps:
    """Passes counted steps to a function and drops the rest.

    Parameters
    ----------
    call : callable
        Called with (name, steps done, steps).

    Examples
    --------
    >>> Steps(print).step("warm", 3, 10)
    warm 3 10
    """

    call: Callable[[str, int, int], None]

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Run a stage without a word."""
        return nullcontext()

    def step(self, name: str, done: int, total: int) -> None:
        """Call the function."""
        self.call(name, done, total)

    def note(self, line: str) -> None:
        """Drop a line."""
