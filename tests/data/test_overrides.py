import pytest

from spinexplain.data.overrides import read_overrides
from spinexplain.errors import FileFormatError


def write(tmp_path, text):
    path = tmp_path / "overrides.csv"
    path.write_text(text)
    return path


def test_every_spelling(tmp_path):
    text = (
        "series,level,grade,shape,split,comment\n"
        "4,L1,G2,wedge,,seen twice\n"
        "verse004,t12,3,Crush,,\n"
        "gl003_dir-ax,T5,x,,,cement\n"
        "verse005,T5,,,,unsure\n"
        "verse006,,,,test,\n"
    )
    overrides = read_overrides(write(tmp_path, text))
    assert overrides.labels == {
        ("verse004", "L1"): ("G2", "wedge"),
        ("verse004", "T12"): ("G3", "crush"),
        ("gl003_dir-ax", "T5"): ("x", None),
        ("verse005", "T5"): (None, None),
    }
    assert overrides.splits == {"verse006": "test"}


def test_shape_and_split_are_optional(tmp_path):
    overrides = read_overrides(write(tmp_path, "level;series;grade\nL1;4;0\n"))
    assert overrides.labels == {("verse004", "L1"): ("G0", None)}


def test_missing_columns(tmp_path):
    with pytest.raises(FileFormatError, match="has the columns series, grade; expected series"):
        read_overrides(write(tmp_path, "series,grade\n4,1\n"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("4,L9,1,,", "row 2 has 'L9' as level"),
        ("4,C3,1,,", "row 2 has 'C3' as level"),
        ("4,L1,severe,,", "row 2 has 'severe' as grade; expected g0"),
        ("4,L1,1,round,", "row 2 has 'round' as shape"),
        ("4,L1,1,,holdout", "row 2 has 'holdout' as split"),
        (",L1,1,,", "row 2 names no series"),
    ],
)
def test_unknown_values_are_named_with_their_row(tmp_path, row, message):
    with pytest.raises(FileFormatError, match=message):
        read_overrides(write(tmp_path, f"series,level,grade,shape,split\n{row}\n"))


def test_contradicting_rows(tmp_path):
    path = write(tmp_path, "series,level,grade\n4,L1,1\n4,L1,1\nverse004,L1,2\n")
    with pytest.raises(FileFormatError, match=r"row 4 says .*G2.* for .*L1.*earlier row.*G1"):
        read_overrides(path)
