"""Brings sources, fracture table and corrections together: which series, with which labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.overrides import NO_OVERRIDES, LabelOverrides
from spinexplain.data.schema import FOREIGN_MATERIAL
from spinexplain.data.split import check_no_leak
from spinexplain.data.table import FractureTable
from spinexplain.data.verse import SeriesFiles, scan_source
from spinexplain.errors import ConfigError
from spinexplain.io.files import sha256_file

_GRADED = tuple(level.value for level in VertebraLevel if level.is_graded)

TWIN = "twin"  # desc-twin: a phantom without its fractures


@dataclass(frozen=True)
class LeftOut:
    """A series (``level`` None) or a vertebra that is not in the cohort, and why."""

    series: str
    level: str | None
    reason: str


@dataclass(frozen=True)
class PlannedSeries:
    """A series to prepare, with its labels.

    Parameters
    ----------
    files : SeriesFiles
    subject, series : str
        The table's patient where the table knows the series.
    split : str or None
    grades : mapping of level name to str
        Levels that are not there were not graded.
    shapes : mapping of level name to str
    ratings : mapping of level name to tuple of str
        The grade each rater gave; a corrected grade stands alone.
    twin_id : str or None
        Shared by a phantom scan and its healthy twin; vertebrae are twins level by level.
    is_twin : bool
        Whether it is the healthy twin: whatever it shows is not fractured.
    """

    files: SeriesFiles
    subject: str
    series: str
    split: str | None
    grades: Mapping[str, str]
    shapes: Mapping[str, str]
    twin_id: str | None = None
    is_twin: bool = False
    ratings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before an image is read.

    Parameters
    ----------
    series : tuple of PlannedSeries
    left_out : tuple of LeftOut
    remarks : tuple of str
        What a person should look at: odd names, corrections that fit nothing.
    """

    series: tuple[PlannedSeries, ...]
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]


def plan_cohort(
    sources: Sequence[str | Path],
    table: FractureTable | None = None,
    overrides: LabelOverrides = NO_OVERRIDES,
) -> Plan:
    """Decide which series to prepare, and settle patient, split and grades of each.

    The split of a series comes from the overrides, else from the table, else from the name
    of its folder (VerSe'20 has no table).

    Raises
    ------
    FileFormatError
        If a source is missing, unreadable or holds no series.
    ConfigError
        If no source is given, nothing can be prepared, a patient is on two sides of the
        split, or two different phantoms share a name.
    """
    if not sources:
        raise ConfigError("no source is given; expected at least one folder of scans.")
    contents = [scan_source(source) for source in sources]
    remarks = [remark for content in contents for remark in content.remarks]
    found = [files for content in contents for files in content.series]
    complete = [files for files in found if files.missing is None]
    left_out = [LeftOut(files.series, None, files.missing) for files in found if files.missing]
    kept, twice = _without_copies(complete)
    if not kept:
        reasons = "; ".join(sorted({one.reason for one in left_out}))
        raise ConfigError(
            f"{', '.join(map(str, sources))}: no series is complete ({reasons}); expected a CT "
            "with a vertebra mask or centroids. Check that rawdata and derivatives are both there."
        )
    planned = _with_twins([_with_labels(files, table, overrides) for files in kept])
    check_no_leak((one.subject, one.split) for one in planned)
    remarks += _unused(planned, table, overrides)
    return Plan(planned, (*left_out, *twice), tuple(remarks))


def _without_copies(found: Iterable[SeriesFiles]) -> tuple[list[SeriesFiles], list[LeftOut]]:
    kept: dict[str, list[SeriesFiles]] = defaultdict(list)
    twice = []
    # a copy that brings mask and centroids goes before one that brings either
    for files in sorted(found, key=lambda files: files.mask is None or files.centroids is None):
        earlier = next((one for one in kept[files.table_id] if one.is_same_scan(files)), None)
        if earlier is None:
            kept[files.table_id].append(files)
        elif _are_different_phantoms(files, earlier):
            raise ConfigError(
                f"{earlier.ct} and {files.ct}: two different phantoms are called {files.series}; "
                "expected every name once. Prepare them as two cohorts."
            )
        else:
            reason = f"the same scan as {earlier.ct} ({files.ct} passed over)"
            twice.append(LeftOut(files.series, None, reason))
    ordered = sorted((files for group in kept.values() for files in group), key=_name)
    return ordered, twice


def _are_different_phantoms(one: SeriesFiles, other: SeriesFiles) -> bool:
    """Whether two truth files say other things: phantoms of every seed share their names."""
    if one.truth is None or other.truth is None:
        return False
    return sha256_file(one.truth) != sha256_file(other.truth)


def _name(files: SeriesFiles) -> tuple[str, str]:
    return files.subject, files.series


def _with_labels(
    files: SeriesFiles, table: FractureTable | None, overrides: LabelOverrides
) -> PlannedSeries:
    record = table.series.get(files.table_id) if table else None
    is_twin = files.entities.get("desc") == TWIN
    grades = dict(record.grades) if record else {}
    shapes = dict(record.shapes) if record else {}
    ratings = dict(record.ratings) if record and not is_twin else {}
    if is_twin:  # every fracture is gone from it, cement is not
        foreign = {level for level, grade in grades.items() if grade == FOREIGN_MATERIAL}
        grades = {name: FOREIGN_MATERIAL if name in foreign else "G0" for name in _GRADED}
        shapes = {name: "none" for name in _GRADED if name not in foreign}
    for (series, level), (grade, shape) in overrides.labels.items():
        if series in _names(files):
            _set(grades, level, grade)
            _set(shapes, level, shape)
            ratings.pop(level, None)
    split = record.split if record else files.split
    split = next((overrides.splits[n] for n in _names(files) if n in overrides.splits), split)
    return PlannedSeries(
        files=files,
        subject=record.subject if record else files.subject,
        series=files.series,
        split=split,
        grades=grades,
        shapes=shapes,
        is_twin=is_twin,
        ratings=ratings,
    )


def _with_twins(planned: Sequence[PlannedSeries]) -> tuple[PlannedSeries, ...]:
    twins = {one.files.table_id for one in planned if one.is_twin}
    return tuple(
        replace(one, twin_id=one.files.table_id) if one.files.table_id in twins else one
        for one in planned
    )


def _names(files: SeriesFiles) -> tuple[str, ...]:
    is_twin = files.entities.get("desc") == TWIN
    return (files.series,) if is_twin else (files.series, files.table_id)


def _set(values: dict[str, str], level: str, value: str | None) -> None:
    if value is None:
        values.pop(level, None)
    else:
        values[level] = value


def _unused(
    planned: Sequence[PlannedSeries], table: FractureTable | None, overrides: LabelOverrides
) -> list[str]:
    names = {name for one in planned for name in _names(one.files)}
    corrected = {series for series, _ in overrides.labels} | set(overrides.splits)
    remarks = [f"overrides name {series}: no such series" for series in sorted(corrected - names)]
    if table:
        remarks += list(table.remarks)
        absent = sorted(set(table.series) - names)
        if absent:
            some = ", ".join(absent[:5]) + (" ..." if len(absent) > 5 else "")
            remarks.append(f"{len(absent)} series of the table are not in the sources: {some}")
    return remarks
