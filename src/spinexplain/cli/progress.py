"""Draws the progress of a job on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from spinexplain.progress import Progress
from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@dataclass(eq=False)
class _OneBar:
    """A single bar that advances with every finished stage and names what is under way."""

    bars: Bars
    task: TaskID
    title: str
    now: str = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.now = f"{self.title}: {name}"
        self._describe(self.now)
        yield
        self.bars.advance(self.task)

    def step(self, name: str, done: int, total: int) -> None:
        self._describe(f"{self.now or self.title}: {name} {done}/{total}")

    def note(self, line: str) -> None:
        typer.echo(printable(line), err=True)

    def _describe(self, text: str) -> None:
        from rich.markup import escape

        self.bars.update(self.task, description=escape(text))


@dataclass(eq=False)
class _BarOfEach:
    """A bar for each kind of step; stages are not drawn."""

    bars: Bars
    tasks: dict[str, TaskID] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield

    def step(self, name: str, done: int, total: int) -> None:
        from rich.markup import escape

        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(escape(printable(name)), total=total)
        self.bars.update(self.tasks[name], completed=done, total=total)

    def note(self, line: str) -> None:
        typer.echo(printable(line), err=True)


@contextmanager
def shown_stages(title: str, total: int) -> Iterator[Progress]:
    """Show a bar that advances with every finished stage; nothing where stderr is no terminal.

    Parameters
    ----------
    title : str
        What is being worked on; printed as plain text, never as markup.
    total : int
        How many stages are expected.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    title = printable(title)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    # In a log the bar would leave an empty line, and nothing else.
    shown = console.is_terminal
    with Bars(*columns, console=console, transient=True, disable=not shown) as bars:
        yield _OneBar(bars, bars.add_task(escape(title), total=total), title)


@contextmanager
def shown_steps(keep: bool = True) -> Iterator[Progress]:
    """Show a bar for each kind of step.

    Parameters
    ----------
    keep : bool
        Whether the bars stay when all is done, in a log too.
    """
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    hidden = not (keep or console.is_terminal)
    with Bars(console=console, transient=not keep, disable=hidden) as bars:
        yield _BarOfEach(bars)
