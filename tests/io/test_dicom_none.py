"""What is said where no slices of a series are."""

import gzip
import io
import tarfile

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.archive import opened
from spinexplain.io.dicom_none import refuse_folder_without_slices
from spinexplain.io.read import read_scan

INDEX = bytes(128) + b"DICM" + bytes(220)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ct.nii.gz", b"\x1f\x8b", "1 NIfTI file. Name the file"),
        ("DICOMDIR", INDEX, "a DICOMDIR, .* Give the folder"),
        ("inner", b"PK\x03\x04", "another zip"),
        ("I0001.gz", gzip.compress(INDEX, mtime=0), "1 files compressed with gzip"),
        ("scan", b"NRRD0004", "an NRRD file"),
        ("all.rar", b"Rar!\x1a\x07\x00", "a RAR archive: unpack it"),
    ],
)
def test_what_lies_there_instead_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with (
        opened(tmp_path) as files,
        pytest.raises(FileFormatError, match=f"no slices of a CT series but {said}"),
    ):
        refuse_folder_without_slices(tmp_path, files)


def test_nothing_known_is_left_to_the_message_of_the_series(tmp_path):
    (tmp_path / "notes").write_text("nothing", encoding="utf-8")
    with opened(tmp_path) as files:
        refuse_folder_without_slices(tmp_path, files)


@pytest.mark.parametrize("packed", [False, True])
def test_a_tar_is_named(tmp_path, packed):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("I0001"))
    path = tmp_path / ("scan.tgz" if packed else "scan.tar")
    path.write_bytes(gzip.compress(content.getvalue(), mtime=0) if packed else content.getvalue())
    with pytest.raises(FileFormatError, match="a tar archive: unpack it"):
        read_scan(path)
