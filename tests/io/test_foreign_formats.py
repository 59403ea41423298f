"""Files of other formats are named, with what to do."""

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.foreign_formats import foreign_format
from spinexplain.io.nifti import read_labels


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"NRRD0005\n", "NRRD"),
        (b"ObjectType = Image\n", "MetaImage"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\x93NUMPY\x01", "NumPy"),
        (b"\x89HDF\r\n", "HDF5"),
        (b'{"labels": []}', "--centroids"),
        (b"PK\x03\x04", "zip"),
    ],
)
def test_a_foreign_file_is_named(tmp_path, head, named):
    content = head + bytes(400)
    assert named in foreign_format(content)
    (tmp_path / "mask.nii").write_bytes(content)
    with pytest.raises(FileFormatError, match=named):
        read_labels(tmp_path / "mask.nii")


def test_nothing_known_is_nothing_said():
    assert foreign_format(b"") == foreign_format(b"\x1f\x8b") == ""
