"""Cohorts of phantoms to train and test on, drawn without files of scans in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from spinexplain.data.cohort import INDEX_FILE, Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.raters import RATERS, rated
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.sheets import sheet_shard, twin_shard
from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress
from spinexplain.workers import run_all

SHEETS_A_SHARD = 500
_SUBJECT = "phantom"


@dataclass(frozen=True)
class _Sheets:
    """One shard of sheets to draw."""

    writer: CohortWriter
    preset: str
    seed: int
    start: int
    count: int
    twins: bool
    rater_error: float | None

    @property
    def name(self) -> str:
        return f"{self.preset}-{self.seed}-{self.start:06d}"

    @property
    def there(self) -> bool:
        return self.writer.notes(_SUBJECT, self.name) is not None


@dataclass(frozen=True)
class _Scan:
    """One scan whose boxes are to be sampled."""

    writer: CohortWriter
    preset: Preset
    seed: int
    index: int
    masks: bool

    @property
    def name(self) -> str:
        return f"{self.preset.name}-{self.seed}-phantom{self.index + 1:04d}"

    @property
    def there(self) -> bool:
        return self.writer.notes(self.name, self.name) is not None


def sheet_cohort(
    path: str | Path,
    preset: str,
    seed: int,
    count: int,
    *,
    twins: bool = False,
    rater_error: float | None = None,
    jobs: int = 1,
    force: bool = False,
    progress: Progress = SILENT,
) -> Cohort:
    """Draw 2-D reformations of synthetic vertebrae into a cohort, or open the one that is there.

    Parameters
    ----------
    path : str or Path
        The cohort's folder. What an interrupted run drew with the same arguments is kept.
    preset : str
    seed, count : int
        Sheet k of a seed is the same whatever ``count`` is; each shows another person.
    twins : bool
        Also the healthy twin of every fractured vertebra, in the same frame.
    rater_error : float, optional
        Each vertebra also gets the grades of three simulated raters, who see its height loss
        with an error of this standard deviation (share of the height).
    jobs : int
        Processes that draw side by side; the cohort is the same whatever it is.
    force : bool
        Replace a cohort of other arguments.
    progress : Progress
        Hears ``Sheets`` after every shard of 500.

    Raises
    ------
    ConfigError
        If there is no such preset, or a number is out of range.
    OutputError
        If the folder holds something else, or a process that draws was killed twice.

    Examples
    --------
    >>> import tempfile
    >>> cohort = sheet_cohort(tempfile.mkdtemp(), "balanced", seed=1, count=2)
    >>> len(cohort), cohort.patches_2d[[0, 1]].shape
    (2, (2, 144, 144))
    """
    load_preset(preset)
    _check(seed=seed, count=count, jobs=jobs)
    settings: dict[str, Any] = {"preset": preset, "seed": seed, "sheets": count}
    settings |= {"twins": True} if twins else {}
    settings |= {} if rater_error is None else {"rater_error": rater_error}
    if (finished := _finished(path, settings)) is not None:
        return finished
    writer = CohortWriter.create(path, settings, force)
    shards = [
        _Sheets(writer, preset, seed, k, min(SHEETS_A_SHARD, count - k), twins, rater_error)
        for k in range(0, count, SHEETS_A_SHARD)
    ]
    _draw(_draw_sheets, shards, jobs, progress, "Sheets")
    return writer.finish()


def box_cohort(
    path: str | Path,
    preset: str | Preset,
    seed: int,
    scans: int,
    *,
    masks: bool = True,
    jobs: int = 1,
    force: bool = False,
    progress: Progress = SILENT,
) -> Cohort:
    """Sample the 3-D boxes of phantom scans into a cohort, or open the one that is there.

    Parameters
    ----------
    path : str or Path
        The cohort's folder. What an interrupted run drew with the same arguments is kept.
    preset : str or Preset
    seed, scans : int
        Scan k of a seed is the same whatever ``scans`` is.
    masks : bool
        Whether vertebra labels, bodies, evidence and planted marks are sampled too.
    jobs : int
        Processes that draw side by side; the cohort is the same whatever it is.
    force : bool
        Replace a cohort of other arguments.
    progress : Progress
        Hears ``Scans`` after every scan.

    Raises
    ------
    ConfigError
        If there is no such preset, or a number is out of range.
    OutputError
        If the folder holds something else, or a process that draws was killed twice.
    """
    chosen = load_preset(preset) if isinstance(preset, str) else preset
    _check(seed=seed, count=scans, jobs=jobs)
    settings: dict[str, Any] = {"preset": chosen.name, "seed": seed, "scans": scans}
    settings |= {"masks": True} if masks else {}
    if (finished := _finished(path, settings)) is not None:
        return finished
    writer = CohortWriter.create(path, settings, force)
    tasks = [_Scan(writer, chosen, seed, index, masks) for index in range(scans)]
    _draw(_sample_boxes, tasks, jobs, progress, "Scans")
    return writer.finish()


def _check(seed: int, count: int, jobs: int) -> None:
    if seed < 0 or count < 1 or jobs < 1:
        raise ConfigError(
            f"seed={seed}, count={count}, jobs={jobs}; expected not below 0, at least 1 and at "
            "least 1."
        )


def _finished(path: str | Path, settings: dict[str, Any]) -> Cohort | None:
    """Open a finished cohort of the same settings."""
    if not (Path(path) / INDEX_FILE).is_file():
        return None
    cohort = Cohort.open(path)
    return cohort if cohort.settings == settings else None


Task = TypeVar("Task", _Sheets, _Scan)


def _draw(
    function: Callable[[Task], None],
    tasks: Sequence[Task],
    jobs: int,
    progress: Progress,
    step: str,
) -> None:
    missing = [task for task in tasks if not task.there]
    run_all(function, missing, jobs, name=_name, progress=progress, step=step)


def _name(task: _Sheets | _Scan) -> str:
    return task.name


def _draw_sheets(task: _Sheets) -> None:
    sheets = list(phantom_sheets(task.preset, task.seed, task.count, task.start, twins=task.twins))
    # The twins first: a shard that is there says that they are there too.
    pairs = twin_shard(f"{task.name}-twins", sheets, seed=task.seed)
    if pairs is not None:
        task.writer.add_series(pairs)
    shard = sheet_shard(task.name, sheets, seed=task.seed)
    if task.rater_error is not None:
        rng = np.random.default_rng([task.seed, task.start, RATERS])
        shard = rated(shard, task.rater_error, rng)
    task.writer.add_series(shard)


def _sample_boxes(task: _Scan) -> None:
    scan = make_subject(task.preset, task.seed, task.index)
    task.writer.add_series(box_shard(scan, task.masks, labels=task.masks))
