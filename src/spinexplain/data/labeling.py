"""Joins grades, splits and folds to the index of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinexplain.data.plan import PlannedSeries
from spinexplain.data.split import assign_folds

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_FOLDS = 5


@dataclass(frozen=True, eq=False)
class JoinedLabels:
    """Index rows with their labels.

    Parameters
    ----------
    rows : pyarrow.Table
    folds : mapping of str to int
        Fold of every subject that has one.
    remarks : tuple of str
        What did not fit.
    """

    rows: pa.Table
    folds: Mapping[str, int]
    remarks: tuple[str, ...]


def join_labels(
    rows: pa.Table,
    planned: Sequence[PlannedSeries],
    folds: int | Mapping[str, int] | None,
    seed: int,
) -> JoinedLabels:
    """Fill grade, raters' grades, shape, split, twin and fold of every row; images are not touched.

    Parameters
    ----------
    rows : pyarrow.Table
        As stored, with the columns of ``index_schema``.
    planned : sequence of PlannedSeries
        One for every series in ``rows``.
    folds : int, mapping of str to int, or None
        How many folds to make, or the fold of every subject. None: ``DEFAULT_FOLDS``, or
        none where there are fewer subjects.
    seed : int
        Of the fold assignment.

    Raises
    ------
    ConfigError
        If there are fewer subjects than folds were asked for.
    """
    by_name = {(one.subject, one.series): one for one in planned}
    names = rows.select(["subject", "series", "level"]).to_pylist()
    owners = [(by_name[row["subject"], row["series"]], row["level"]) for row in names]
    columns: dict[str, list[Any]] = {
        "grade": [one.grades.get(level) for one, level in owners],
        "ratings": [list(one.ratings.get(level, ())) for one, level in owners],
        "shape": [one.shapes.get(level) for one, level in owners],
        "split": [one.split for one, _ in owners],
        "twin_id": [one.twin_id for one, _ in owners],
        "healthy_twin": [one.is_twin for one, _ in owners],
    }
    rows = _with_columns(rows, columns)
    assigned, remarks = _fold_of_subjects(rows, folds, seed)
    rows = _with_columns(rows, {"fold": [assigned.get(row["subject"]) for row in names]})
    return JoinedLabels(rows, assigned, remarks)


def _fold_of_subjects(
    rows: pa.Table, folds: int | Mapping[str, int] | None, seed: int
) -> tuple[dict[str, int], tuple[str, ...]]:
    index = rows.select(["subject", "grade"]).to_pandas()
    subjects = set(index["subject"])
    if not subjects:
        return {}, ()
    if folds is None and len(subjects) < DEFAULT_FOLDS:
        few = f"{len(subjects)} subjects are fewer than {DEFAULT_FOLDS}"
        return {}, (f"no folds were made: {few}",)
    if folds is None or isinstance(folds, int):
        return assign_folds(index, folds or DEFAULT_FOLDS, seed), ()
    assigned = {subject: fold for subject, fold in folds.items() if subject in subjects}
    without = sorted(subjects - set(assigned))
    if not without:
        return assigned, ()
    some = ", ".join(without[:5])
    return assigned, (f"{len(without)} subjects have no fold in the CSV: {some}",)


def _with_columns(table: pa.Table, columns: Mapping[str, list[Any]]) -> pa.Table:
    import pyarrow as pa

    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        column = table.schema.field(place)
        table = table.set_column(place, column, pa.array(values, column.type))
    return table
