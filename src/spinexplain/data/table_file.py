"""Reads the cells of a spreadsheet or CSV file, whatever the program that wrote it."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from spinexplain.errors import FileFormatError

Cell = str | int | float | None
Rows = list[list[Cell]]

_MAX_BYTES = 64 * 2**20
_MAX_ROWS = 100_000
_MAX_COLUMNS = 512
_MAX_EMPTY_ROWS = 1000


def read_tables(path: str | Path) -> list[Rows]:
    """Read every table of an .xlsx file, or the one table of a CSV file.

    Only cells that are there are read: a used range that claims millions of empty cells
    costs nothing.

    Returns
    -------
    list of rows of cells
        Empty cells are None, text is stripped. CSV cells are text.

    Raises
    ------
    FileFormatError
        If the file is missing, too large, or neither.

    Notes
    -----
    The kind of file follows from its first bytes, not from its name. CSV may be separated by
    commas, semicolons or tabs, in UTF-8 or the Western European code page of Excel.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _MAX_BYTES else b""
    except OSError as error:
        raise FileFormatError(
            f"{path}: {error.strerror}; expected a table as .xlsx or .csv."
        ) from None
    if size > _MAX_BYTES:
        raise FileFormatError(
            f"{path}: {size / 2**20:.0f} MB is too large for a table; expected an .xlsx or .csv "
            f"file under {_MAX_BYTES // 2**20} MB."
        )
    if not content.strip():
        raise FileFormatError(f"{path}: is empty; expected a table as .xlsx or .csv.")
    return _read_xlsx(path, content) if content[:4] == b"PK\x03\x04" else [_read_csv(path, content)]


def _read_xlsx(path: Path, content: bytes) -> list[Rows]:
    import openpyxl

    try:
        _refuse_bomb(path, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # unknown extensions of other programs
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            return [_trimmed(_rows(worksheet)) for worksheet in book.worksheets]
    except FileFormatError:
        raise
    except Exception as error:  # openpyxl lets XML, zip and key errors of all kinds through
        raise FileFormatError(
            f"{path}: cannot be read as .xlsx ({type(error).__name__}: {error}); "
            "expected a workbook as Excel saves it. Save it again, or as CSV."
        ) from None


def _refuse_bomb(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > 4 * _MAX_BYTES:
        raise FileFormatError(
            f"{path}: unpacks to {unpacked / 2**20:.0f} MB; expected a table under "
            f"{4 * _MAX_BYTES // 2**20} MB."
        )


def _rows(worksheet: Any) -> Iterator[tuple[object, ...]]:
    worksheet.reset_dimensions()  # the claimed range may be huge
    empty = 0
    for row in worksheet.iter_rows(max_col=_MAX_COLUMNS, max_row=_MAX_ROWS, values_only=True):
        empty = 0 if any(cell is not None for cell in row) else empty + 1
        if empty > _MAX_EMPTY_ROWS:
            return
        yield row


def _decoded(path: Path, content: bytes) -> str:
    """Decode what Excel saves as text: UTF-8, UTF-16 ("Unicode text") or the Western code page."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise FileFormatError(f"{path}: is not text; expected a table as .xlsx or .csv.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_csv(path: Path, content: bytes) -> Rows:
    text = _decoded(path, content)
    head = text[:20_000]
    delimiter = max(",;\t", key=head.count)
    try:
        return _trimmed(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise FileFormatError(
            f"{path}: cannot be read as CSV ({error}); expected one table with a header row."
        ) from None


def _trimmed(rows: Iterable[Iterable[object]]) -> Rows:
    """Clean the cells, without empty rows and without the empty cells at the end of a row."""
    cleaned = []
    for row in rows:
        cells = [_cell(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            cleaned.append(cells)
    return cleaned


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value).strip()
    return text or None
