import pytest

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.jobs.batch.manifest import read_manifest


def test_paths_start_at_the_manifest(tmp_path, manifest):
    path = manifest([{"ct": "a/one.nii.gz", "labels": "m.nii.gz", "age": "70", "sex": "f"}])
    (scan,) = read_manifest(path)
    assert scan.name == "one"
    assert scan.ct == tmp_path / "a" / "one.nii.gz"
    assert (scan.age, scan.sex) == (70, "F")
    assert scan.centroids is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"ct": "a", "labels": "m", "patient": "x"}], "column 'patient'"),
        ([{"labels": "m"}], "expected ct"),
        ([{"ct": "", "labels": "m"}], "line 2: names no CT"),
        ([{"ct": "a", "labels": "m", "age": "old"}], "age is 'old'"),
        ([{"ct": "a", "labels": "m", "sex": "X"}], "sex is 'X'"),
        ([{"ct": "a", "labels": "m", "name": "../up"}], "cannot be a folder"),
        ([{"ct": "a", "labels": "m"}, {"ct": "b/A", "labels": "m"}], "2 scans are named"),
    ],
)
def test_what_is_wrong_is_named(manifest, rows, words):
    with pytest.raises(ConfigError, match=words):
        read_manifest(manifest(rows))


def test_an_empty_list(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ct,labels\n")
    with pytest.raises(ConfigError, match="lists no scan"):
        read_manifest(path)


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_manifest(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(b"ct,labels\n\xff\xfe")
    with pytest.raises(FileFormatError, match="no CSV in UTF-8"):
        read_manifest(tmp_path / "a.csv")
