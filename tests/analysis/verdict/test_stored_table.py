"""The stored table of witnesses."""

import gzip

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.stored_table import read_table, rounded, store_table
from spinexplain.errors import FileFormatError


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "group": ["hard", "hard"],
            "subject": ["b", "a"],
            "route": ["labels", "labels"],
            "level": ["L1", "T12"],
            "normal": [False, True],
            "grade": [2, 0],
            "prototypes": [1.234567, np.nan],
            "heights": [-0.000123456, 4.0],
            "deformity": ["", "schmorl"],
            "refusal": ["", "outside"],
        }
    )


def test_there_and_back_with_four_digits(table, tmp_path):
    kept = rounded(table)
    assert kept["subject"].tolist() == ["a", "b"]
    assert kept["prototypes"].tolist()[1] == 1.235
    again = read_table(store_table(kept, tmp_path / "one.csv.gz"))
    pd.testing.assert_frame_equal(again, kept)


def test_the_same_table_gives_the_same_bytes(table, tmp_path):
    one, two = (store_table(rounded(table), tmp_path / f"{n}.csv.gz") for n in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "z.csv.gz").write_bytes(gzip.compress(b"a,b\n" + 99 * b"1,2\n")[:-12])
    for name, why in (("x", "no table"), ("y", "no column group, subject"), ("z", "no table")):
        with pytest.raises(FileFormatError, match=why):
            read_table(tmp_path / f"{name}.csv.gz")
