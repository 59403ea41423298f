"""Answer sheets as CSV: written so that spreadsheets open them, read as spreadsheets save them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import atomic_file, unreadable
from spinexplain.study.answers import Answer, AnswerFile, Place, questions_by_place
from spinexplain.study.asking import Question, parse_answer
from spinexplain.study.record import Study

FIXED = ("study", "reader", "session", "page", "item", "piece")
_NOT_ASKED = "\N{EN DASH}"
_WHOLE = "all"


def sheet_text(study: Study, reader: int) -> str:
    """Write a reader's empty answer sheet.

    Parameters
    ----------
    study : Study
    reader : int

    Returns
    -------
    str
        CSV with semicolons and CRLF, in the reader's order: a row for each piece of evidence
        and one (``all``) for the page. Cells to fill in are empty, all others hold a dash.

    Raises
    ------
    ConfigError
        If the study has no such reader.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    keys = [question.key for question in study.questions]
    writer.writerow([*FIXED, *keys])
    page = 0
    for session, items in enumerate(study.plan(reader).sessions, start=1):
        for item_id in items:
            page += 1
            asked = study.asked(study.item(item_id))
            for piece in sorted({piece for piece, _ in asked}, key=lambda k: (k == 0, k)):
                here = {question.key for at, question in asked if at == piece}
                cells = ["" if key in here else _NOT_ASKED for key in keys]
                fixed = [study.id, reader, session, page, item_id, piece or _WHOLE]
                writer.writerow([*fixed, *cells])
    return stream.getvalue()


def write_sheet(path: Path, study: Study, reader: int) -> Path:
    """Write a sheet as UTF-8 with a byte-order mark, without which Excel guesses wrongly."""
    text = sheet_text(study, reader)
    with atomic_file(path) as temporary:
        temporary.write_bytes(text.encode("utf-8-sig"))
    return path


def read_sheet(path: Path, study: Study, at: str) -> AnswerFile:
    """Read a filled-in sheet, whatever a spreadsheet did to it.

    Rows may be sorted anew, left out or empty; columns moved or added; the delimiter a
    semicolon, comma or tab; the encoding UTF-8, UTF-16 or Windows-1252; numbers with decimal
    commas.

    Parameters
    ----------
    path : Path
    study : Study
    at : str
        When it is read, ISO 8601 in UTC.

    Raises
    ------
    FileFormatError
        If it is no sheet.
    ConfigError
        If it is of another study, of two readers, or a cell is no answer; the message names
        row and column.
    """
    rows = _rows(path)
    expected = {question.key for question in study.questions if question.required}
    lacking = [
        name
        for name in ("study", "reader", "item", "piece", *sorted(expected))
        if name not in rows[0]
    ]
    if lacking:
        raise FileFormatError(
            f"{path}: has no column {lacking[0]!r} (it has {', '.join(rows[0])}); expected the "
            "sheet that study paper wrote. Put the heading back."
        )
    asked = questions_by_place(study)
    known: dict[Place, Answer] = {}
    readers = set()
    for number, row in enumerate(rows, start=2):
        if not any(value.strip() for value in row.values()):
            continue
        readers.add(_reader(path, number, row, study))
        for answer in _answers(path, number, row, asked, at):
            before = known.setdefault(answer.place, answer)
            if before.value != answer.value:
                raise ConfigError(
                    f"{path}: row {number}: item {answer.item}, piece {answer.piece}, "
                    f"{answer.question} is {answer.value!r} here and {before.value!r} in another "
                    "row; expected one answer. Delete a row; nothing was stored."
                )
    if len(readers) != 1:
        raise ConfigError(
            f"{path}: holds rows of {len(readers)} readers; expected one sheet a reader. Split it."
        )
    return AnswerFile(
        study=study.id, reader=readers.pop(), source="paper", answers=tuple(known.values())
    )


def _rows(path: Path) -> list[dict[str, str]]:
    lines = _decoded(path).splitlines()
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(";,\t", key=head.count)
    table = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    table = [row for row in table if row]
    if len(table) < 2:
        raise FileFormatError(f"{path}: holds no answers; expected a filled-in sheet.")
    names = [name.strip().casefold() for name in table[0]]
    return [dict(zip(names, row + [""] * len(names), strict=False)) for row in table[1:]]


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if content.startswith(b"PK\x03\x04"):
        raise FileFormatError(f"{path}: is an Excel workbook; save it as CSV and add that file.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _reader(path: Path, number: int, row: Mapping[str, str], study: Study) -> int:
    if row["study"].strip().casefold() != study.id:
        raise ConfigError(
            f"{path}: row {number} is of study {row['study'].strip()!r}; this one is {study.id}. "
            "Answers to other pictures, or of another model, do not count; nothing was stored."
        )
    reader = _whole_number(row["reader"])
    if reader is None:
        raise ConfigError(
            f"{path}: row {number}: reader is {row['reader']!r}; expected a number. Put it back."
        )
    study.plan(reader)
    return reader


def _answers(
    path: Path, number: int, row: Mapping[str, str], asked: Mapping[Place, Question], at: str
) -> list[Answer]:
    item = row["item"].strip().upper()
    written = row["piece"].strip().casefold()
    piece = 0 if written == _WHOLE else _whole_number(written)
    here = {key: q for (i, p, key), q in asked.items() if i == item and p == piece}
    if not here:
        raise ConfigError(
            f"{path}: row {number}: there is no item {row['item'].strip()!r} with piece "
            f"{row['piece'].strip()!r} in this study; expected those of the sheet. Put them back; "
            "nothing was stored."
        )
    found = []
    for key, question in here.items():
        text = row.get(key, "")
        try:
            value = parse_answer(question, text)
        except ValueError:
            raise ConfigError(
                f"{path}: row {number} (item {item}, piece {row['piece'].strip()}): {key} is "
                f"{text.strip()!r}; expected {question.allowed}. Put it right and add the sheet "
                "again; nothing was stored."
            ) from None
        if value is not None:
            found.append(Answer(item=item, piece=piece or 0, question=key, value=value, at=at))
    return found


def _whole_number(text: str) -> int | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return int(number) if number == round(number) else None
