"""Prepares series in processes that share nothing but the folder they write to."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.plan import LeftOut, PlannedSeries
from spinexplain.data.series import series_shard
from spinexplain.errors import OutputError, SpinexplainError


def prepare_all(
    todo: Sequence[PlannedSeries],
    patches: str,
    writer: CohortWriter,
    jobs: int,
    advance: Callable[[], None],
) -> list[LeftOut]:
    """Prepare and store every series, the largest files first.

    Parameters
    ----------
    todo : sequence of PlannedSeries
    patches : {"2d", "3d", "both"}
    writer : CohortWriter
    jobs : int
        Processes; each holds one scan in memory.
    advance : callable
        Called after every series.

    Returns
    -------
    list of LeftOut
        The series whose files can not be used, sorted by name.

    Raises
    ------
    OutputError
        If a shard can not be written, or a worker was killed. What is stored stays.
    """
    largest_first = sorted(todo, key=_size, reverse=True)
    if jobs == 1 or len(todo) < 2:
        outcomes = []
        for planned in largest_first:
            outcomes.append(prepare_series(planned, patches, writer))
            advance()
    else:
        outcomes = _in_parallel(largest_first, patches, writer, jobs, advance)
    return sorted((one for one in outcomes if one), key=lambda one: one.series)


def _size(planned: PlannedSeries) -> int:
    return planned.files.ct.stat().st_size if planned.files.ct else 0


def _in_parallel(
    todo: Sequence[PlannedSeries],
    patches: str,
    writer: CohortWriter,
    jobs: int,
    advance: Callable[[], None],
) -> list[LeftOut | None]:
    spawn = multiprocessing.get_context("spawn")
    workers = min(jobs, len(todo))
    outcomes = []
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start_worker) as pool:
        futures: dict[Future[LeftOut | None], PlannedSeries] = {
            pool.submit(prepare_series, planned, patches, writer): planned for planned in todo
        }
        try:
            for future in as_completed(futures):
                outcomes.append(future.result())
                advance()
        except BrokenProcessPool:
            raise OutputError(
                f"{writer.path}: a worker process was killed, most likely for lack of memory; "
                f"{len(outcomes)} series were finished and are kept. "
                f"Run the same command again with fewer jobs than {workers}."
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the scans under way are finished and kept
            raise
    return outcomes


def _start_worker() -> None:
    """Make a worker use one thread, leave Ctrl-C to its parent, and end when that is killed.

    Without the watch, workers of a killed parent would wait for work for ever: each holds
    the writing end of the queue it reads from.
    """
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def prepare_series(planned: PlannedSeries, patches: str, writer: CohortWriter) -> LeftOut | None:
    """Sample and store one series; return the reason if its files can not be used.

    Raises
    ------
    OutputError
        If the shard can not be written.
    """
    try:
        shard = series_shard(planned, patches)
    except MemoryError:
        return LeftOut(planned.series, None, "does not fit into memory")
    except (SpinexplainError, OSError) as error:
        return LeftOut(planned.series, None, str(error))
    writer.add_series(shard)
    return None
