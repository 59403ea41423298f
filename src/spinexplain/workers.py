"""Worker processes that share a list of items and survive that one of them is killed.

An operating system short of memory kills a process without a word. The item that it worked on
is tried once more, alone; killed again, it is given up by name and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, TypeVar

from spinexplain.errors import OutputError
from spinexplain.progress import SILENT, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """What came of one item.

    Parameters
    ----------
    item : Item
    results : tuple of Result
        The one result; empty where the worker was killed, twice.
    """

    item: Item
    results: tuple[Result, ...] = ()

    @property
    def killed(self) -> bool:
        """Whether the item was given up."""
        return not self.results


def outcomes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int = 1,
    start: Callable[[], None] | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Call a function on every item, side by side, and yield what comes of each as it comes.

    Parameters
    ----------
    function : callable
        Of a module, so that a fresh process finds it. What it raises ends the whole, after
        the items under way.
    items : sequence
        Taken in this order.
    workers : int
        Processes; with one, or for a single item, all runs in this process.
    start : callable, optional
        Called once in every fresh worker.

    Examples
    --------
    >>> [outcome.results for outcome in outcomes(abs, [-1, 2])]
    [(1,), (2,)]
    """
    if workers == 1 or len(items) < 2:
        for item in items:
            yield Outcome(item, (function(item),))
        return
    waiting = list(reversed(items))
    while waiting:
        suspects: list[Item] = []
        yield from _until_broken(function, waiting, min(workers, len(waiting)), start, suspects)
        for item in suspects:
            yield from _alone(function, item, start)


def run_all(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int = 1,
    *,
    name: Callable[[Item], str] = str,
    start: Callable[[], None] | None = None,
    progress: Progress = SILENT,
    step: str = "items",
) -> list[Result]:
    """Call a function on every item, side by side; return the results as they came.

    Parameters
    ----------
    function, items, workers, start
        As of :func:`outcomes`.
    name : callable
        How an item is called in an error.
    progress : Progress
        Hears ``step`` after every item.

    Raises
    ------
    OutputError
        If the worker of an item was killed twice; after all others are finished.
    """
    results: list[Result] = []
    killed: list[str] = []
    for done, outcome in enumerate(outcomes(function, items, workers, start), 1):
        results.extend(outcome.results)
        killed += [name(outcome.item)] if outcome.killed else []
        progress.step(step, done, len(items))
    if killed:
        raise OutputError(
            f"{', '.join(killed)}: the worker process was killed twice, most likely for lack of "
            "memory; the others are finished and kept. Run the same command again with fewer "
            f"jobs than {workers}."
        )
    return results


def _until_broken(
    function: Callable[[Item], Result],
    waiting: list[Item],
    workers: int,
    start: Callable[[], None] | None,
    suspects: list[Item],
) -> Iterator[Outcome[Item, Result]]:
    """Work until nothing waits or a worker is killed; then name the items under way.

    No more items are handed out than there are workers, so that few are suspected.
    """
    running: dict[Future[Result], Item] = {}
    with _pool(workers, start) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running[pool.submit(function, waiting[-1])] = waiting[-1]
                    waiting.pop()
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    result = future.result()
                    yield Outcome(running.pop(future), (result,))
        except BrokenProcessPool:
            yield from _rescued(running, suspects)


def _rescued(
    running: dict[Future[Result], Item], suspects: list[Item]
) -> Iterator[Outcome[Item, Result]]:
    """Keep what was finished as the pool broke; the rest is suspected."""
    for future, item in running.items():
        try:
            result = future.result()
        except BrokenProcessPool:
            suspects.append(item)
        else:
            yield Outcome(item, (result,))


def _alone(
    function: Callable[[Item], Result], item: Item, start: Callable[[], None] | None
) -> Iterator[Outcome[Item, Result]]:
    with _pool(1, start) as pool:
        try:
            result = pool.submit(function, item).result()
        except BrokenProcessPool:
            yield Outcome(item)
        else:
            yield Outcome(item, (result,))


def _pool(workers: int, start: Callable[[], None] | None) -> ProcessPoolExecutor:
    # A fresh interpreter, not a copy of this one: threads of torch do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=_start_worker, initargs=(start,)
    )


def _start_worker(start: Callable[[], None] | None) -> None:
    """Leave Ctrl-C to the parent, and end when that is killed.

    Without the watch, workers of a killed parent would wait for work for ever: each holds
    the writing end of the queue it reads from.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    if start is not None:
        start()
