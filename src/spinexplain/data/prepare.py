"""From folders of scans to a cohort: in parallel, in bounded memory, resumable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_overview import summarize, write_summary
from spinexplain.data.cohort_writer import CohortWriter, only_writer
from spinexplain.data.labeling import join_labels
from spinexplain.data.overrides import NO_OVERRIDES, read_overrides
from spinexplain.data.plan import LeftOut, Plan, PlannedSeries, plan_cohort
from spinexplain.data.prepare_series import prepare_all
from spinexplain.data.series import PATCHES, fingerprint
from spinexplain.data.split import check_enough, read_folds, write_folds
from spinexplain.data.table import read_fracture_table
from spinexplain.data.thumbnails import write_thumbnails
from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress

PREPARATION = 1  # raised whenever the same files would give other patches

UNLOCATED = "graded, but neither in the mask nor among the centroids"


@dataclass(frozen=True)
class PrepareOptions:
    """How a cohort is prepared.

    Parameters
    ----------
    patches : {"2d", "3d", "both"}
        Sheets of 144 x 144 mm, boxes of 112 x 112 x 112 mm, or both.
    jobs : int
        Processes; each holds one scan in memory.
    overrides : Path, optional
        CSV of corrected labels, see :func:`spinexplain.data.overrides.read_overrides`.
    folds : int, Path or None
        How many folds to make for cross-validation, or a CSV with the columns subject, fold.
        None: five, or none where there are fewer subjects.
    seed : int
        Of the fold assignment.
    force : bool
        Replace a finished cohort. Series whose files have not changed are kept.
    thumbnails : bool
        Whether to draw them.
    """

    patches: str = "2d"
    jobs: int = 1
    overrides: Path | None = None
    folds: int | Path | None = None
    seed: int = 0
    force: bool = False
    thumbnails: bool = True


def prepare(
    sources: Sequence[str | Path],
    table: str | Path | None,
    out: str | Path,
    options: PrepareOptions | None = None,
    progress: Progress = SILENT,
) -> Cohort:
    """Turn folders of scans into a cohort of graded vertebrae.

    Beside the arrays it writes ``summary.json``, ``folds.csv`` and ``thumbnails/``.
    Interrupted at any time, the same call goes on where it stopped.

    Parameters
    ----------
    sources : sequence of str or Path
        Folders in any layout of VerSe, phantom folders included.
    table : str or Path or None
        Fracture table; without one every vertebra is ungraded, unless overrides say more.
    out : str or Path
    options : PrepareOptions, optional
    progress : Progress
        Hears ``preparing`` after every series.

    Returns
    -------
    Cohort
        C1-C7 are left out. G1 and foreign material (``"x"``) are in it: whether they are
        used is for the task to say.

    Raises
    ------
    FileFormatError
        If a source, the table or a CSV cannot be read. A broken scan is left out instead,
        with the reason in the summary.
    ConfigError
        If an option is out of range, a patient is on both sides of the split, there are
        fewer subjects than folds were asked for, or no vertebra is left. Series that are
        finished by then are kept.
    OutputError
        If ``out`` exists already or cannot be written.
    """
    options = options or PrepareOptions()
    _check(options)
    overrides = read_overrides(options.overrides) if options.overrides else NO_OVERRIDES
    folds = read_folds(options.folds) if isinstance(options.folds, Path) else options.folds
    plan = plan_cohort(sources, read_fracture_table(table) if table else None, overrides)
    if isinstance(folds, int):
        check_enough(folds, len({one.subject for one in plan.series}))
    with only_writer(Path(out)):
        return _prepare(plan, Path(out), options, folds, progress)


def _prepare(
    plan: Plan,
    out: Path,
    options: PrepareOptions,
    folds: int | Mapping[str, int] | None,
    progress: Progress,
) -> Cohort:
    settings = {"patches": options.patches, "preparation": PREPARATION}
    writer = CohortWriter.create(out, settings, options.force)
    todo = [planned for planned in plan.series if not _is_done(planned, writer)]
    finished = len(plan.series) - len(todo)
    failed = prepare_all(todo, options.patches, writer, options.jobs, progress, finished)
    lost = {one.series for one in failed}
    stored = [planned for planned in plan.series if planned.series not in lost]
    _refuse_nothing(stored, failed, writer)
    rows = writer.rows(only=[(one.subject, one.series) for one in stored])
    joined = join_labels(rows, stored, folds, options.seed)
    cohort = writer.preview(joined.rows)
    left_out, remarks = _said_of_series(stored, cohort, writer)
    summary = summarize(
        cohort.index,
        [*plan.left_out, *failed, *left_out],
        [*plan.remarks, *joined.remarks, *remarks],
    )
    if len(cohort):  # else finish says what is wrong
        _write_companions(cohort, joined.folds, summary, options)
    return writer.finish(joined.rows)


def _write_companions(
    cohort: Cohort, folds: Mapping[str, int], summary: dict[str, Any], options: PrepareOptions
) -> None:
    """Write what a person looks at beside the arrays."""
    write_folds(cohort.path / "folds.csv", folds)
    write_summary(cohort.path / "summary.json", summary)
    if options.thumbnails:
        write_thumbnails(cohort, cohort.path / "thumbnails")


def _check(options: PrepareOptions) -> None:
    if options.patches not in PATCHES:
        raise ConfigError(f"patches is {options.patches!r}; expected one of {', '.join(PATCHES)}.")
    if options.jobs < 1:
        raise ConfigError(f"jobs is {options.jobs}; expected at least 1.")
    if isinstance(options.folds, int) and options.folds < 2:
        raise ConfigError(f"folds is {options.folds}; expected at least 2, or a CSV file.")


def _is_done(planned: PlannedSeries, writer: CohortWriter) -> bool:
    notes = writer.notes(planned.subject, planned.series)
    return notes is not None and notes.get("files") == fingerprint(planned)


def _refuse_nothing(
    stored: Sequence[PlannedSeries], failed: Sequence[LeftOut], writer: CohortWriter
) -> None:
    if not stored:
        first = failed[0]
        raise ConfigError(
            f"{writer.path}: none of {len(failed)} series could be prepared; "
            f"{first.series}: {first.reason}"
        )


def _said_of_series(
    stored: Sequence[PlannedSeries], cohort: Cohort, writer: CohortWriter
) -> tuple[list[LeftOut], list[str]]:
    """Collect the vertebrae that are not in the cohort, and remarks on whole scans."""
    present = set(zip(cohort.index["series"], cohort.index["level"], strict=True))
    left_out, remarks = [], []
    for planned in stored:
        notes = writer.notes(planned.subject, planned.series) or {}
        reasons = dict(notes.get("left_out", {}))
        for level in () if planned.is_twin else planned.grades:
            if (planned.series, level) not in present:
                reasons.setdefault(level, UNLOCATED)
        left_out += [LeftOut(planned.series, level, reason) for level, reason in reasons.items()]
        remarks += [f"{planned.series}: {remark}" for remark in notes.get("remarks", [])]
    return left_out, remarks
