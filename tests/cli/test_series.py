import zipfile
from pathlib import Path

SLICES = Path(__file__).parent.parent / "data" / "dcmqi-ct-3slice"


def test_lists_each_series_by_what_the_option_takes(spinexplain):
    ended = spinexplain("series", SLICES)
    assert ended.code == 0, ended.err
    (line,) = ended.out.splitlines()
    key, _, rest = line.partition(":")
    assert key.isdigit()
    assert "CT, 3 slices" in rest
    assert "UID 1." in rest


def test_a_zip_lists_the_same(spinexplain, tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in SLICES.glob("*.dcm"):
            archive.write(path, path.name)
    assert spinexplain("series", tmp_path / "export.zip").out == spinexplain("series", SLICES).out


def test_where_there_is_no_dicom_one_line_says_so(spinexplain, tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        ended = spinexplain("series", path)
        assert ended.code == 2
        assert str(path.name) in ended.line
