"""What a terminal can show: names without control characters, one line that names the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Advance = Callable[[str, int, int], None]
Stage = Callable[[str], AbstractContextManager[None]]


def printable(name: str) -> str:
    r"""Replace what a file name may hold but no text should: controls and broken bytes.

    Examples
    --------
    >>> printable("ct\n1\udcff.nii")
    'ct?1?.nii'
    """
    return "".join(char if char.isprintable() else "?" for char in name)


@contextmanager
def shown_stages(title: str, total: int) -> Iterator[Stage]:
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
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    title = printable(title)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    # In a log the bar would leave an empty line, and nothing else.
    shown = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(escape(title), total=total)

        @contextmanager
        def stage(name: str) -> Iterator[None]:
            bar.update(task, description=escape(f"{title}: {name}"))
            yield
            bar.advance(task)

        yield stage


@contextmanager
def shown_phases() -> Iterator[Advance]:
    """Show one bar per phase; call what it yields with (phase, steps done, steps)."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def advance(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total)
            bars.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]

        yield advance
