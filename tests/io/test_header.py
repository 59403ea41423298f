import nibabel as nib
import numpy as np
import pytest

from spinexplain.errors import FileFormatError, GeometryError
from spinexplain.io.header import read_header
from spinexplain.io.inflate import ByteStream

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, -0.3, 0.4) @ np.diag([0.8, 0.9, -2.0]), [10, -20, 30]
)


def header_of(path, change=lambda header: None, kind=nib.Nifti1Image, affine=OBLIQUE):
    """Write an image whose header was changed byte for byte, and read it back."""
    image = kind(np.arange(24, dtype=np.int16).reshape(2, 3, 4), affine)
    raw = bytearray(image.to_bytes())
    header = kind.header_class(bytes(raw[: kind.header_class.sizeof_hdr]), check=False)
    change(header)
    raw[: kind.header_class.sizeof_hdr] = header.binaryblock
    path.write_bytes(raw)
    with ByteStream(path) as stream:
        return read_header(stream)[0]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "scan.nii"


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_reads_both_versions(file, kind):
    header = header_of(file, kind=kind)
    assert header.shape == (2, 3, 4)
    assert header.dtype == np.int16
    assert (header.slope, header.intercept) == (1.0, 0.0)
    np.testing.assert_allclose(header.affine, OBLIQUE, atol=1e-5)


def test_takes_the_affine_nibabel_takes(file):
    """The sform if it is set, else the qform, else spacing alone."""

    def only_qform(header):
        header.set_qform(OBLIQUE, code=1)
        header.set_sform(np.eye(4), code=0)

    def neither(header):
        header.set_sform(np.eye(4), code=0)

    for change in (lambda header: None, only_qform, neither):
        header = header_of(file, change)
        np.testing.assert_array_equal(header.affine, nib.load(file).affine)


def put(field, value):
    def change(header):
        header[field] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("dim", [3, 20000, 20000, 300, 1, 1, 1, 1]), "truncated.*20000 x 20000 x 300"),
        (put("dim", [3, 32767, 32767, 32767, 1, 1, 1, 1]), "truncated"),
        (put("dim", [3, 2, -3, 4, 1, 1, 1, 1]), "2 x -3 x 4; expected positive"),
        (put("dim", [4, 2, 3, 4, 7, 1, 1, 1]), r"4-D \(2 x 3 x 4 x 7\).*Extract one frame"),
        (put("datatype", 32), "complex64 voxels"),
        (put("datatype", 128), "colors"),
        (put("datatype", 999), "damaged"),
        (put("vox_offset", 1e9), "truncated"),
        (put("vox_offset", np.nan), "damaged|truncated"),
        (put("magic", b"ni1"), "pair"),
        (put("magic", b"abc"), "no NIfTI|damaged|pair"),
    ],
)
def test_a_bad_header_is_one_clear_error(file, change, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        header_of(file, change)
    assert "\n" not in str(caught.value)


def zero_pixdim(header):
    header["sform_code"] = 0
    header["pixdim"][3] = 0


def flat_sform(header):
    header["srow_z"] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("dim", [3, 20000, 20000, 1, 1, 1, 1, 1]), "single slice"),
        (put("dim", [2, 6, 4, 1, 1, 1, 1, 1]), "single slice"),
        (zero_pixdim, r"spacing is \[0.8.*, 0.0\]"),
        (flat_sform, "affine is singular"),
        (put("srow_x", np.nan), "affine is singular"),
    ],
)
def test_an_impossible_geometry_is_one_clear_error(file, change, message):
    with pytest.raises(GeometryError, match=message):
        header_of(file, change)


def test_a_4d_file_of_one_frame_is_3d(file):
    assert header_of(file, put("dim", [5, 2, 3, 4, 1, 1, 1, 1])).shape == (2, 3, 4)


def test_a_missing_qfac_is_mended_without_a_word(file, caplog):
    def change(header):
        header["pixdim"][0] = 0
        header.set_sform(np.eye(4), code=0)
        header["qform_code"] = 1

    header_of(file, change)
    assert not caplog.records
