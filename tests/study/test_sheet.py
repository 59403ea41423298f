"""Sheets as spreadsheets and people leave them."""

import csv
import io

import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.study.answers import check_answers
from spinexplain.study.sheet import read_sheet, sheet_text, write_sheet
from study.conftest import opened

AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def study(written):
    return opened(written(cases=4, foils=2, repeats=1))[0]


def _filled(study, **cells):
    """Fill the sheet of reader 1: yes, 4 and a text, or what ``cells`` say."""
    rows = list(csv.DictReader(io.StringIO(sheet_text(study, 1)), delimiter=";"))
    said = {"relevance": "yes", "similarity": "no", "confidence": "4", "opinion": "fine"} | cells
    for row in rows:
        row.update({key: value for key, value in said.items() if row[key] == ""})
    return rows


def _save(path, rows, delimiter=";", encoding="utf-8-sig", first=""):
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes((first + stream.getvalue()).encode(encoding, errors="replace"))
    return path


def test_an_empty_sheet_opens_in_excel_and_holds_no_answer(study, tmp_path):
    path = write_sheet(tmp_path / "s.csv", study, 1)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfstudy;reader;")
    assert b"\r\n" in content
    assert read_sheet(path, study, AT).answers == ()


@pytest.mark.parametrize(
    ("delimiter", "encoding", "first"),
    [
        (";", "utf-8-sig", ""),
        (",", "utf-8", ""),
        ("\t", "utf-16", ""),
        (";", "cp1252", "sep=;\r\n"),
    ],
)
def test_what_spreadsheets_save(study, tmp_path, delimiter, encoding, first):
    rows = _filled(study, confidence="4,0" if delimiter != "," else "4.0", opinion='Größe; "gut"')
    path = _save(tmp_path / "s.csv", rows, delimiter, encoding, first)
    found = read_sheet(path, study, AT)
    check_answers(found, study, "s")
    said = {answer.question: answer.value for answer in found.answers}
    assert said == {
        "relevance": "yes",
        "similarity": "no",
        "confidence": 4.0,
        "opinion": 'Größe; "gut"',
    }
    assert len(found.answers) == len(study.items) * (3 * 2 + 2)


def test_rows_sorted_anew_left_out_and_columns_moved(study, tmp_path):
    rows = sorted(_filled(study), key=lambda row: (row["item"][::-1], row["piece"]))
    moved = [dict(reversed(list(row.items()))) | {"mine": "7"} for row in rows]
    whole = read_sheet(_save(tmp_path / "a.csv", moved), study, AT)
    plain = read_sheet(_save(tmp_path / "b.csv", _filled(study)), study, AT)
    assert {a.place: a.value for a in whole.answers} == {a.place: a.value for a in plain.answers}
    some = read_sheet(_save(tmp_path / "c.csv", rows[:5]), study, AT)
    assert 0 < len(some.answers) < len(whole.answers)


def _edit(rows, number, **cells):
    rows[number].update(cells)
    return rows


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"relevance": "maybe"},
            r"row 2 \(item .*, piece 1\): relevance is 'maybe'; expected yes or no",
        ),
        ({"item": "OTHER"}, "row 2: there is no item 'OTHER'"),
        ({"piece": "9"}, "row 2: there is no item"),
        ({"study": "s123"}, "row 2 is of study 's123'"),
        ({"reader": "me"}, "row 2: reader is 'me'"),
        ({"reader": "2"}, "rows of 2 readers"),
    ],
)
def test_edited_cells_get_one_line_with_row_and_column(study, tmp_path, cells, message):
    path = _save(tmp_path / "s.csv", _edit(_filled(study), 0, **cells))
    with pytest.raises(ConfigError, match=message):
        read_sheet(path, study, AT)


def test_two_answers_to_one_question_are_refused(study, tmp_path):
    rows = _filled(study)
    rows.append(dict(rows[0]) | {"relevance": "no"})
    with pytest.raises(ConfigError, match="in another row"):
        read_sheet(_save(tmp_path / "s.csv", rows), study, AT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"", "holds no answers"),
        (b"a;b\n1;2\n", "no column 'study'"),
    ],
)
def test_what_is_no_sheet(study, tmp_path, content, message):
    path = tmp_path / "s.csv"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        read_sheet(path, study, AT)
    with pytest.raises(FileFormatError, match="no such file"):
        read_sheet(tmp_path / "none.csv", study, AT)
