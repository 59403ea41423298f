"""Corrections of labels as CSV: what a reader changed after looking at the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.schema import FOREIGN_MATERIAL, GRADES, SPLITS
from spinexplain.data.table import SHAPES, series_name
from spinexplain.data.table_file import Cell, read_tables
from spinexplain.errors import FileFormatError

_GRADE_CELLS = {
    **{grade.lower(): grade for grade in GRADES},
    **{grade[1:]: grade for grade in GRADES},
    "x": FOREIGN_MATERIAL,
    "": None,
}


@dataclass(frozen=True)
class LabelOverrides:
    """Labels that replace those of the fracture table.

    Parameters
    ----------
    labels : mapping of (series, level) to (grade, shape)
        Grade None: take the grade away. Shape None: unknown.
    splits : mapping of str to str
        Split of whole series.
    """

    labels: Mapping[tuple[str, str], tuple[str | None, str | None]]
    splits: Mapping[str, str]


K = TypeVar("K")
V = TypeVar("V")

NO_OVERRIDES = LabelOverrides({}, {})


def read_overrides(path: str | Path) -> LabelOverrides:
    """Read corrections: columns series, level, grade and, optionally, shape and split.

    A row with a level sets its grade (blank: not graded); a row with a split sets the split
    of the whole series. Series are named as in the fracture table or in the index.

    Raises
    ------
    FileFormatError
        If a column is missing, a value is unknown, or two rows contradict each other.
    """
    path = Path(path)
    rows = read_tables(path)[0]
    header = [str(cell).strip().lower() for cell in rows[0]]
    if not {"series", "level", "grade"} <= set(header):
        raise FileFormatError(
            f"{path}: has the columns {', '.join(header)}; expected series, level, grade and, "
            "optionally, shape and split."
        )
    labels: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    splits: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        cells = dict(zip(header, row, strict=False))
        where = f"{path}: row {number}"
        if cells.get("series") is None:
            raise FileFormatError(f"{where} names no series; expected one in every row.")
        series = series_name(cells["series"])
        level = _one_of(where, "level", cells.get("level"), _LEVELS)
        split = _one_of(where, "split", cells.get("split"), _SPLITS)
        if level:
            grade = _one_of(where, "grade", cells.get("grade"), _GRADE_CELLS)
            shape = _one_of(where, "shape", cells.get("shape"), _SHAPES)
            _set_once(where, labels, (series, level), (grade, shape))
        if split:
            _set_once(where, splits, series, split)
    return LabelOverrides(labels, splits)


_LEVELS = {level.value.lower(): level.value for level in VertebraLevel if level.is_graded} | {
    "": None
}
_SPLITS = {split: split for split in SPLITS} | {"": None}
_SHAPES = {shape: shape for shape in SHAPES} | {"": None}


def _one_of(where: str, column: str, cell: Cell, known: Mapping[str, str | None]) -> str | None:
    value = int(cell) if isinstance(cell, float) and cell.is_integer() else cell
    text = "" if value is None else str(value).strip().lower()
    if text not in known:
        raise FileFormatError(
            f"{where} has {cell!r} as {column}; expected "
            f"{', '.join(name for name in known if name)} or an empty cell."
        )
    return known[text]


def _set_once(where: str, values: dict[K, V], key: K, value: V) -> None:
    if values.setdefault(key, value) != value:
        raise FileFormatError(
            f"{where} says {value} for {key}, an earlier row {values[key]}; expected one answer. "
            "Remove one of them."
        )
