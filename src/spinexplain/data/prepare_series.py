"""Prepares and stores series, in processes that share nothing but the folder they write to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.plan import LeftOut, PlannedSeries
from spinexplain.data.series import series_shard
from spinexplain.errors import SpinexplainError
from spinexplain.progress import SILENT, Progress
from spinexplain.workers import outcomes

KILLED = (
    "the process that prepared it was killed twice, most likely for lack of memory; prepare it "
    "again with fewer jobs"
)


def prepare_all(
    todo: Sequence[PlannedSeries],
    patches: str,
    writer: CohortWriter,
    jobs: int,
    progress: Progress = SILENT,
    finished: int = 0,
) -> list[LeftOut]:
    """Prepare and store every series, the largest files first.

    Parameters
    ----------
    todo : sequence of PlannedSeries
    patches : {"2d", "3d", "both"}
    writer : CohortWriter
    jobs : int
        Processes; each holds one scan in memory.
    progress : Progress
        Hears ``preparing`` after every series.
    finished : int
        Series that were stored before; they count as steps that are done.

    Returns
    -------
    list of LeftOut
        The series whose files cannot be used, sorted by name.

    Raises
    ------
    OutputError
        If a shard cannot be written. What is stored stays.
    """
    largest_first = sorted(todo, key=_size, reverse=True)
    store = partial(prepare_series, patches=patches, writer=writer)
    left_out: list[LeftOut | None] = []
    total = finished + len(todo)
    progress.step("preparing", finished, total)
    for done, one in enumerate(outcomes(store, largest_first, jobs, _one_thread), finished + 1):
        left_out += [LeftOut(one.item.series, None, KILLED)] if one.killed else one.results
        progress.step("preparing", done, total)
    return sorted((one for one in left_out if one), key=lambda one: one.series)


def _size(planned: PlannedSeries) -> int:
    return planned.files.ct.stat().st_size if planned.files.ct else 0


def _one_thread() -> None:
    """Let SimpleITK use one thread in a process of many."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def prepare_series(planned: PlannedSeries, patches: str, writer: CohortWriter) -> LeftOut | None:
    """Sample and store one series; return the reason if its files cannot be used.

    Raises
    ------
    OutputError
        If the shard cannot be written.
    """
    try:
        shard = series_shard(planned, patches)
    except MemoryError:
        return LeftOut(planned.series, None, "does not fit into memory")
    except (SpinexplainError, OSError) as error:
        return LeftOut(planned.series, None, str(error))
    writer.add_series(shard)
    return None
