import csv
import tempfile
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.data.table import read_fracture_table, series_name
from spinexplain.data.table_file import read_tables
from spinexplain.errors import FileFormatError

REAL = Path(__file__).parent / "verse19-table" / "ryai190138_appendixe1.xlsx"
LEVELS = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 7)]
HEADER = [
    *("verse_ID", "subject_ID", "dataset", "foreign_material", "N_Fx"),
    *(f"{level}_fx-g" for level in LEVELS),
    *(f"{level}_fx-s" for level in LEVELS),
]


def row(series=4, subject=4, dataset="training", foreign=None, n_fx=None, grades=(), shapes=()):
    grades, shapes = dict(grades), dict(shapes)
    cells = [grades.get(level) for level in LEVELS] + [shapes.get(level) for level in LEVELS]
    return [series, subject, dataset, foreign, n_fx, *cells]


def write_csv(path, *rows, header=HEADER):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def real():
    return read_fracture_table(REAL)


def test_the_real_table_has_the_published_counts(real):
    assert real.grade_counts() == {"G0": 1180, "G1": 142, "G2": 96, "G3": 51, "x": 31}
    by_split = {
        split: Counter(
            grade
            for record in real.series.values()
            if record.split == split
            for grade in record.grades.values()
        )
        for split in ("training", "validation", "test")
    }
    order = ("G0", "G1", "G2", "G3", "x")
    assert {split: [n[g] for g in order] for split, n in by_split.items()} == {
        "training": [598, 63, 50, 22, 17],
        "validation": [288, 41, 24, 17, 5],
        "test": [294, 38, 22, 12, 9],
    }


def test_the_real_table_has_the_published_splits(real):
    records = real.series.values()
    assert Counter(record.split for record in records) == {
        "training": 80,
        "validation": 40,
        "test": 40,
    }
    subjects = {(record.subject, record.split) for record in records}
    assert Counter(split for _, split in subjects) == {
        "training": 67,
        "validation": 37,
        "test": 37,
    }
    assert len({subject for subject, _ in subjects}) == len(subjects)


def test_the_real_table_has_the_published_shapes(real):
    shapes = Counter(
        (grade, record.shapes.get(level))
        for record in real.series.values()
        for level, grade in record.grades.items()
    )
    assert shapes["G1", "wedge"] == 51
    assert shapes["G1", "biconcave"] == 91
    assert [shapes["G2", s] for s in ("wedge", "biconcave", "crush")] == [40, 42, 14]
    assert [shapes["G3", s] for s in ("wedge", "biconcave", "crush")] == [15, 10, 26]
    assert shapes["G0", "none"] == 1180
    assert shapes["x", None] == 31


def test_the_real_table_agrees_with_itself(real):
    assert real.remarks == ()


def test_blank_is_not_grade_0(real):
    record = real.series["verse004"]
    assert record.grades == {
        **{"T9": "G2", "T10": "G2", "T11": "G0", "T12": "G0"},
        **{"L1": "G3", "L2": "G0", "L3": "G0"},
    }


def test_series_and_subject_of_a_patient_with_two_scans(real):
    record = real.series["verse290"]
    assert (record.subject, record.split) == ("verse412", "validation")


def test_csv_and_xlsx_say_the_same(real, tmp_path):
    (cells,) = (rows for rows in read_tables(REAL) if len(rows) > 100)
    path = tmp_path / "grading.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(cells)
    assert read_fracture_table(path) == real


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (4, "verse004"),
        (4.0, "verse004"),
        ("4.0", "verse004"),
        ("004", "verse004"),
        ("Verse004", "verse004"),
        (" sub-verse290 ", "verse290"),
        ("gl017", "gl017"),
        ("phantom-0001", "phantom-0001"),
    ],
)
def test_ids_are_written_as_in_file_names(written, name):
    assert series_name(written) == name


def test_every_spelling_of_a_grade(tmp_path):
    grades = {"T1": "0", "T2": "1.0", "T3": "X", "T4": " 3 ", "T5": "nan", "T6": "2"}
    table = read_fracture_table(write_csv(tmp_path / "t.csv", row(grades=grades)))
    assert table.series["verse004"].grades == {
        **{"T1": "G0", "T2": "G1", "T3": "x", "T4": "G3", "T6": "G2"}
    }


def test_splits_of_table_and_codebook(tmp_path):
    names = ["training", "Tr", "validation public", "pubT", "test secret", "docT"]
    rows = [row(number, number, name) for number, name in enumerate(names)]
    table = read_fracture_table(write_csv(tmp_path / "t.csv", *rows))
    splits = [record.split for record in table.series.values()]
    assert splits == ["training", "training", "validation", "validation", "test", "test"]


def test_a_header_further_down_on_another_sheet(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["codebook"])
    sheet = book.create_sheet("data")
    sheet.append(["Appendix E1"])
    sheet.append([name.replace("_", " ").upper() for name in HEADER])
    sheet.append(row(grades={"L1": 2}))
    book.save(tmp_path / "t.xlsx")
    assert read_fracture_table(tmp_path / "t.xlsx").series["verse004"].grades == {"L1": "G2"}


def test_a_t13_column_is_read(tmp_path):
    path = write_csv(tmp_path / "t.csv", [*row(), 1], header=[*HEADER, "T13_fx-g"])
    assert read_fracture_table(path).series["verse004"].grades == {"T13": "G1"}


@pytest.mark.parametrize("column", ["verse_ID", "subject_ID", "dataset", "L1_fx-g"])
def test_a_missing_column_is_named(tmp_path, column):
    header = [name if name != column else "other" for name in HEADER]
    path = write_csv(tmp_path / "t.csv", row(), header=header)
    with pytest.raises(FileFormatError, match=f"(?i){column.replace('-', '_')}.*Appendix E1"):
        read_fracture_table(path)


def test_a_column_that_is_there_twice(tmp_path):
    path = write_csv(tmp_path / "t.csv", [*row(), 3], header=[*HEADER, "L1_fx-g"])
    with pytest.raises(FileFormatError, match="L1_fx-g' is there twice"):
        read_fracture_table(path)


def test_a_series_in_two_rows(tmp_path):
    path = write_csv(tmp_path / "t.csv", row(4), row("verse004"))
    with pytest.raises(FileFormatError, match="verse004 stands in two rows"):
        read_fracture_table(path)


@pytest.mark.parametrize("value", ["4", "-1", "mild", "2.5", "G2"])
def test_an_unknown_grade_is_named_with_its_place(tmp_path, value):
    path = write_csv(tmp_path / "t.csv", row(grades={"L1": value}))
    with pytest.raises(FileFormatError, match=rf"verse_ID 4 has '{value}' in l1_fx_g.*0, 1, 2, 3"):
        read_fracture_table(path)


def test_unknown_shapes_and_splits_are_named(tmp_path):
    path = write_csv(tmp_path / "t.csv", row(shapes={"T7": "round"}))
    with pytest.raises(FileFormatError, match="'round' in t7_fx_s"):
        read_fracture_table(path)
    path = write_csv(tmp_path / "t.csv", row(dataset="holdout"))
    with pytest.raises(FileFormatError, match="'holdout' in dataset"):
        read_fracture_table(path)


@pytest.mark.parametrize("empty", [{"series": None}, {"subject": None}, {"dataset": None}])
def test_a_row_without_id_or_split(tmp_path, empty):
    path = write_csv(tmp_path / "t.csv", row(grades={"L1": 0}, **empty))
    with pytest.raises(FileFormatError, match="expected a value in every row"):
        read_fracture_table(path)


def test_a_header_without_rows(tmp_path):
    with pytest.raises(FileFormatError, match="no rows"):
        read_fracture_table(write_csv(tmp_path / "t.csv"))


def test_totals_are_counts_and_contradictions_are_told(tmp_path):
    grades = {"T1": 1, "T2": "x", "T3": "x", "L1": 0}
    shapes = {"T1": 1, "T2": "x", "T3": "x", "L1": 0}
    good = row(foreign=2, n_fx=1, grades=grades, shapes=shapes)
    assert read_fracture_table(write_csv(tmp_path / "t.csv", good)).remarks == ()
    bad = row(foreign=1, n_fx=0, grades=grades, shapes=shapes | {"L1": 2})
    remarks = read_fracture_table(write_csv(tmp_path / "t.csv", bad)).remarks
    assert remarks == (
        "verse004: n_fx says 0, its cells say 1",
        "verse004: foreign_material says 1, its cells say 2",
        "verse004: L1 is G0 but its shape is biconcave",
    )


@settings(max_examples=80, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20),
    st.floats(0, 1),
)
def test_damaged_tables_never_give_a_traceback(as_csv, changes, keep):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        if as_csv:
            write_csv(path, *(row(n, n, grades={"L1": n % 4}) for n in range(20)))
        else:
            path.write_bytes(REAL.read_bytes())
        data = bytearray(path.read_bytes())
        for place, value in changes:
            data[int(place * (len(data) - 1))] = value
        path.write_bytes(bytes(data[: max(int(keep * 2 * len(data)), 1)]))
        error = error_of(path)
        assert error is None or str(path) in error


def error_of(path):
    """The message of the package's own error; any other error is a failure."""
    try:
        read_fracture_table(path)
    except FileFormatError as error:
        return str(error)
    return None


def rated_table(path, agreed, *raters):
    """Write a table with L1 of two series, the grade agreed on and those of raters."""
    levels = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
    names = ["verse_ID", "subject_ID", "dataset", *(f"{level}_fx-g" for level in levels)]
    names += [f"L1_fx-g_rater-{number}" for number in (1, 2, 10)]
    lines = [names]
    for series, grade, rated in zip((4, 5), agreed, raters, strict=True):
        cells = {"verse_ID": series, "subject_ID": series, "dataset": "training", "L1_fx-g": grade}
        cells |= dict(zip(names[-3:], rated, strict=True))
        lines.append([str(cells.get(name, "")) for name in names])
    path.write_text("\n".join(",".join(line) for line in lines))
    return read_fracture_table(path).series


def test_raters_columns_are_kept_in_their_order(tmp_path):
    found = rated_table(tmp_path / "t.csv", (2, ""), (2, "", 3), (0, 1, "x"))
    assert found["verse004"].grades == {"L1": "G2"}
    assert found["verse004"].ratings == {"L1": ("G2", "", "G3")}
    assert found["verse005"].ratings == {"L1": ("G0", "G1", "")}


def test_without_an_agreed_grade_the_most_frequent_counts(tmp_path):
    found = rated_table(tmp_path / "t.csv", ("", ""), (3, 2, 3), (3, 0, ""))
    assert found["verse004"].grades == {"L1": "G3"}
    assert found["verse005"].grades == {"L1": "G0"}  # of equally frequent ones the mildest


def test_a_rater_can_not_give_grade_4(tmp_path):
    with pytest.raises(FileFormatError, match=r"4.* in l1_fx_g_rater_1; expected 0, 1, 2, 3"):
        rated_table(tmp_path / "t.csv", (2, 2), (4, 2, 2), (2, 2, 2))
