import io
import zipfile

import openpyxl
import pytest

from spinexplain.data.table_file import read_tables
from spinexplain.errors import FileFormatError


def write_xlsx(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_cells_keep_numbers_and_lose_blanks(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", [["a", "b "], [1, None], [None, None], ["", 2.5]])
    assert read_tables(path) == [[["a", "b"], [1], [None, 2.5]]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_of_any_program(tmp_path, delimiter, encoding):
    path = tmp_path / "t.csv"
    path.write_text(f"id{delimiter}Gerät\r\n1{delimiter}x\r\n\r\n", encoding=encoding)
    assert read_tables(path) == [[["id", "Gerät"], ["1", "x"]]]


def test_the_content_counts_not_the_name(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", [["a"], [1]])
    assert read_tables(path.rename(tmp_path / "t.csv")) == [[["a"], [1]]]


def test_a_claimed_range_of_a_billion_cells_costs_nothing(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", [["a"], [1]])
    claimed = tmp_path / "claimed.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(claimed, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                assert b'ref="A1:A2"' in data
                data = data.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"')
            new.writestr(entry, data)
    assert read_tables(claimed) == [[["a"], [1]]]


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abcdef":
            archive.writestr(name, bytes(50 * 2**20), compresslevel=1)
    with pytest.raises(FileFormatError, match="unpacks to 300 MB"):
        read_tables(path)


def test_missing_empty_and_foreign_files(tmp_path):
    with pytest.raises(FileFormatError, match="No such file"):
        read_tables(tmp_path / "none.csv")
    with pytest.raises(FileFormatError, match="directory"):
        read_tables(tmp_path)
    (tmp_path / "empty.csv").write_text(" \n")
    with pytest.raises(FileFormatError, match="is empty"):
        read_tables(tmp_path / "empty.csv")
    (tmp_path / "scan.csv").write_bytes(b"\x5c\x01\0\0" * 100)
    with pytest.raises(FileFormatError, match="is not text"):
        read_tables(tmp_path / "scan.csv")


def test_files_that_only_begin_like_a_workbook(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(FileFormatError, match=r"cannot be read as \.xlsx"):
        read_tables(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "a zip, but no workbook")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(FileFormatError, match=r"cannot be read as \.xlsx"):
        read_tables(path)


def test_a_cell_of_a_megabyte_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a\n"' + "x" * 200_000)
    with pytest.raises(FileFormatError, match="CSV"):
        read_tables(path)
