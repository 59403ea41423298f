from pathlib import Path

import pandas as pd
import pytest

from spinexplain.data.split import (
    assign_folds,
    check_enough,
    check_no_leak,
    read_folds,
    write_folds,
)
from spinexplain.data.table import read_fracture_table
from spinexplain.errors import ConfigError, FileFormatError

REAL = Path(__file__).parent / "verse19-table" / "ryai190138_appendixe1.xlsx"


def real_index():
    table = read_fracture_table(REAL)
    return pd.DataFrame(
        [
            (record.subject, grade)
            for record in table.series.values()
            for grade in record.grades.values()
        ],
        columns=["subject", "grade"],
    )


def test_a_subject_on_both_sides_is_refused():
    with pytest.raises(ConfigError, match="subject b has series in test and training"):
        check_no_leak([("a", "test"), ("b", "training"), ("b", "test"), ("b", None)])


def test_further_leaks_are_counted():
    pairs = [(name, split) for name in "abc" for split in ("training", "validation")]
    with pytest.raises(ConfigError, match=r"subject a \(and 2 more\)"):
        check_no_leak(pairs)


def test_the_real_table_leaks_nothing():
    table = read_fracture_table(REAL)
    check_no_leak((record.subject, record.split) for record in table.series.values())


def test_folds_of_the_real_table_have_like_shares_of_every_grade():
    index = real_index()
    folds = assign_folds(index, 5, seed=0)
    assert set(folds) == set(index.subject)
    counts = pd.crosstab(index.subject.map(folds), index.grade)
    assert sorted(counts.index) == [0, 1, 2, 3, 4]
    # 96 G2 and 51 G3 over five folds are 19.2 and 10.2 each; patients come in lumps
    assert counts["G0"].between(180, 290).all()
    assert counts["G2"].between(14, 25).all()
    assert counts["G3"].between(6, 15).all()


def test_folds_depend_on_the_seed_and_not_on_the_order_of_rows():
    index = real_index()
    folds = assign_folds(index, 5, seed=3)
    assert assign_folds(index.sample(frac=1, random_state=1), 5, seed=3) == folds
    assert assign_folds(index, 5, seed=4) != folds


def test_ungraded_and_rare_grades_are_folded_too():
    index = pd.DataFrame({"subject": list("abcdef"), "grade": [None, "G3", None, "x", "G0", "G1"]})
    folds = assign_folds(index, 3, seed=0)
    assert set(folds) == set("abcdef")
    assert set(folds.values()) == {0, 1, 2}


@pytest.mark.parametrize("n_folds", [0, 1, 7])
def test_impossible_numbers_of_folds(n_folds):
    index = pd.DataFrame({"subject": list("abcdef"), "grade": ["G0"] * 6})
    with pytest.raises(ConfigError, match=f"folds is {n_folds}; expected 2 to 6"):
        assign_folds(index, n_folds, seed=0)


def test_folds_survive_the_file(tmp_path):
    folds = {"verse004": 1, 'a "quoted", name\n': 0, "é": 2}
    write_folds(tmp_path / "folds.csv", folds)
    read = read_folds(tmp_path / "folds.csv")
    assert read == {"verse004": 1, 'a "quoted", name': 0, "é": 2}


def write(tmp_path, text):
    path = tmp_path / "folds.csv"
    path.write_text(text)
    return path


def test_columns_in_any_order(tmp_path):
    assert read_folds(write(tmp_path, "note;FOLD;Subject\nx;2;a\n;0.0;b\n")) == {"a": 2, "b": 0}


def test_missing_columns(tmp_path):
    with pytest.raises(FileFormatError, match="has the columns subject, part; expected subject"):
        read_folds(write(tmp_path, "subject,part\na,1\n"))


@pytest.mark.parametrize("fold", ["", "first", "-1", "1.5", "nan", "1e9"])
def test_folds_that_are_no_number(tmp_path, fold):
    with pytest.raises(FileFormatError, match="expected a whole number"):
        read_folds(write(tmp_path, f"subject,fold\na,{fold}\n"))


def test_a_subject_in_two_folds(tmp_path):
    with pytest.raises(FileFormatError, match="subject a is in the folds 1 and 2"):
        read_folds(write(tmp_path, "subject,fold\na,1\na,1\na,2\n"))


def test_a_subject_is_needed_for_every_fold():
    check_enough(3, 3)
    with pytest.raises(ConfigError, match="folds is 4; expected 2 to 3, the number of subjects"):
        check_enough(4, 3)
    with pytest.raises(ConfigError, match="there is one subject"):
        check_enough(2, 1)
