"""The VerSe'19 fracture table: Genant grade and shape of every vertebra of every series."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.schema import FOREIGN_MATERIAL
from spinexplain.data.table_file import Cell, Rows, read_tables
from spinexplain.errors import FileFormatError

SHAPES = ("none", "wedge", "biconcave", "crush")

_GRADED = [level for level in VertebraLevel if level.is_graded]
_REQUIRED_LEVELS = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
_GRADE_CELLS = {"0": "G0", "1": "G1", "2": "G2", "3": "G3", "x": FOREIGN_MATERIAL}
_RATED_CELLS = {"0": "G0", "1": "G1", "2": "G2", "3": "G3", "x": None}
_SHAPE_CELLS = {str(code): shape for code, shape in enumerate(SHAPES)} | {"x": None}

# The table says "validation public" where its own codebook says "pubT".
_SPLIT_CELLS = {
    "training": "training",
    "train": "training",
    "tr": "training",
    "validation public": "validation",
    "validation": "validation",
    "val": "validation",
    "pubt": "validation",
    "test secret": "test",
    "test": "test",
    "doct": "test",
}


@dataclass(frozen=True)
class SeriesRecord:
    """What the fracture table says about one image series.

    Parameters
    ----------
    series, subject : str
        e.g. ``"verse266"`` of patient ``"verse409"``.
    split : str
        ``"training"``, ``"validation"`` or ``"test"``.
    grades : mapping of level name to str
        ``"G0"`` to ``"G3"``, or ``"x"`` for foreign material. A level that is not there
        was not graded (not in view, usually): that is not grade 0.
    shapes : mapping of level name to str
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    ratings : mapping of level name to tuple of str
        The grade each rater gave, in the order of their columns, empty text where one gave
        none. A level that no rater graded is not there.
    """

    series: str
    subject: str
    split: str
    grades: Mapping[str, str]
    shapes: Mapping[str, str]
    ratings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class FractureTable:
    """The fracture table, by series.

    Parameters
    ----------
    series : mapping of str to SeriesRecord
    remarks : tuple of str
        Where the table contradicts itself: totals that do not match its cells, shapes
        that do not match the grade. The cells win.
    """

    series: Mapping[str, SeriesRecord]
    remarks: tuple[str, ...] = field(default=())

    def grade_counts(self) -> dict[str, int]:
        """Count the vertebrae of each grade."""
        return dict(Counter(g for record in self.series.values() for g in record.grades.values()))


def read_fracture_table(path: str | Path) -> FractureTable:
    """Read a fracture table, recognised by its columns, from .xlsx or CSV.

    Parameters
    ----------
    path : str or Path
        Appendix E1 of Loeffler et al. 2020 under any name, or a table of the same columns.

    Raises
    ------
    FileFormatError
        If it cannot be read, lacks a column, lists a series twice, or has a cell that is
        no grade, no shape or no split.

    Notes
    -----
    A blank cell means not graded, ``x`` means foreign material. IDs may be written 4, 004,
    verse004 or sub-verse004. Columns such as ``L1_fx-g_rater-1`` hold the grades of single
    raters; ``L1_fx-g`` beside them is the grade that was agreed on. Where it is blank, the
    grade that most raters gave counts, of equally frequent ones the mildest.
    """
    path = Path(path)
    columns, rows = _find_table(path, read_tables(path))
    records: dict[str, SeriesRecord] = {}
    remarks: list[str] = []
    for row in rows:
        cells = _Row(path, row, columns)
        record = _read_record(cells)
        if record.series in records:
            raise FileFormatError(
                f"{path}: series {record.series} stands in two rows; expected one row a series. "
                "Remove one."
            )
        records[record.series] = record
        remarks += _contradictions(cells, record)
    if not records:
        raise FileFormatError(f"{path}: has a header but no rows; expected one row a series.")
    return FractureTable(records, tuple(remarks))


def series_name(value: Cell) -> str:
    """Write an ID the way VerSe's files do.

    Examples
    --------
    >>> [series_name(value) for value in (4, 4.0, "004", "sub-verse004", "gl017")]
    ['verse004', 'verse004', 'verse004', 'verse004', 'gl017']
    """
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = text.strip().removeprefix("sub-")
    number = re.fullmatch(r"(?:verse)?(\d+)(?:\.0)?", text, flags=re.IGNORECASE)
    return f"verse{int(number[1]):03d}" if number else text


@dataclass(frozen=True)
class _Row:
    path: Path
    cells: Sequence[Cell]
    columns: Mapping[str, int]

    def cell(self, column: str) -> Cell:
        place = self.columns.get(column)
        return None if place is None or place >= len(self.cells) else self.cells[place]

    def required(self, column: str) -> Cell:
        value = self.cell(column)
        if value is None:
            raise FileFormatError(
                f"{self.path}: row with {self.name} has no {column}; expected a value in every row."
            )
        return value

    @property
    def name(self) -> str:
        return f"verse_ID {self.cell('verse_id')}"

    def coded(self, column: str, codes: Mapping[str, str | None]) -> str | None:
        value = self.cell(column)
        code = _code(value)
        if code is None:
            return None
        if code not in codes:
            raise FileFormatError(
                f"{self.path}: {self.name} has {value!r} in {column}; "
                f"expected {', '.join(codes)} or an empty cell."
            )
        return codes[code]


def _code(value: Cell) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().lower() if value is not None else ""
    return None if text in {"", "nan"} else text.removesuffix(".0")


def _find_table(path: Path, tables: Sequence[Rows]) -> tuple[dict[str, int], Rows]:
    best: set[str] = set()
    for rows in tables:
        for number, row in enumerate(rows[:20]):
            columns = _columns(path, row)
            if set(columns) >= _REQUIRED:
                return columns, rows[number + 1 :]
            best = max(best, _REQUIRED & set(columns), key=len)
    missing = [name for name in _REQUIRED_ORDER if name not in best]
    raise FileFormatError(
        f"{path}: not a fracture table, {len(missing)} columns are missing "
        f"({', '.join(missing[:4])}{' ...' if len(missing) > 4 else ''}); expected verse_ID, "
        "subject_ID, dataset and T1_fx-g to L5_fx-g as in Appendix E1 of Loeffler et al. 2020."
    )


_REQUIRED_ORDER = ["verse_id", "subject_id", "dataset"] + [
    f"{level.lower()}_fx_g" for level in _REQUIRED_LEVELS
]
_REQUIRED = set(_REQUIRED_ORDER)


def _columns(path: Path, header: Sequence[Cell]) -> dict[str, int]:
    names = [re.sub(r"[\s_-]+", "_", str(cell).strip().lower()) for cell in header]
    columns: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in columns and name in _REQUIRED:
            raise FileFormatError(
                f"{path}: column {header[place]!r} is there twice; expected it once. Remove one."
            )
        columns.setdefault(name, place)
    return columns


def most_frequent(ratings: Sequence[str]) -> str | None:
    """Return the grade that most raters gave, of equally frequent ones the mildest.

    Examples
    --------
    >>> most_frequent(["G3", "G2", ""]), most_frequent(["G1", "G2", "G2"]), most_frequent([""])
    ('G2', 'G2', None)
    """
    counted = Counter(grade for grade in ratings if grade)
    return min(counted, key=lambda grade: (-counted[grade], grade), default=None)


def _raters_of(row: _Row, column: str) -> tuple[str, ...]:
    """Return the grades of a vertebra by rater, in the raters' order; empty if there are none."""
    found = sorted(
        (name for name in row.columns if name.startswith(f"{column}_rater_")),
        key=lambda name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)],
    )
    ratings = tuple(row.coded(name, _RATED_CELLS) or "" for name in found)
    return ratings if any(ratings) else ()


def _read_record(row: _Row) -> SeriesRecord:
    grades, shapes, ratings = {}, {}, {}
    for level in _GRADED:
        column = f"{level.value.lower()}_fx"
        if rated := _raters_of(row, f"{column}_g"):
            ratings[level.value] = rated
        grade = row.coded(f"{column}_g", _GRADE_CELLS) or most_frequent(rated)
        shape = row.coded(f"{column}_s", _SHAPE_CELLS)
        if grade is not None:
            grades[level.value] = grade
        if shape is not None:
            shapes[level.value] = shape
    series, subject = row.required("verse_id"), row.required("subject_id")
    row.required("dataset")
    split = row.coded("dataset", _SPLIT_CELLS)
    assert split is not None
    return SeriesRecord(series_name(series), series_name(subject), split, grades, shapes, ratings)


def _contradictions(row: _Row, record: SeriesRecord) -> list[str]:
    grades = list(record.grades.values())
    counted = {
        "n_fx": sum(grade in {"G1", "G2", "G3"} for grade in grades),
        "foreign_material": grades.count(FOREIGN_MATERIAL),
    }
    said = {name: _code(row.cell(name)) for name in counted}
    remarks = [
        f"{record.series}: {name} says {said[name]}, its cells say {number}"
        for name, number in counted.items()
        if said[name] is not None and said[name] != str(number)
    ]
    for level, grade in record.grades.items():
        shape = record.shapes.get(level)
        if shape is not None and (grade == "G0") != (shape == "none"):
            remarks.append(f"{record.series}: {level} is {grade} but its shape is {shape}")
    return remarks
