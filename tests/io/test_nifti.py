import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spinexplain.errors import FileFormatError, GeometryError, OutputError
from spinexplain.io.nifti import check_is_ct, read_labels, read_volume, write_nifti
from spinexplain.types import Volume

DATA = Path(__file__).parents[1] / "data"
SCANS = sorted(DATA.glob("*/*ct.nii.gz"))
MASKS = sorted([*DATA.glob("*/*msk.nii.gz"), *DATA.glob("*/totalseg*.nii.gz")])
VALUES = np.random.default_rng(0).integers(-1000, 2000, (5, 6, 7))
AFFINE = np.diag([0.7, 0.8, 2.0, 1.0])


def save(path, array, slope=None, intercept=None, kind=nib.Nifti1Image, endian="<"):
    """Write stored values and scaling as they are: nibabel would rescale them itself."""
    header = kind.header_class(endianness=endian)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_sform(AFFINE, code=1)
    header.set_data_offset(header.single_vox_offset)
    header.set_slope_inter(slope, intercept)
    stored = array.astype(array.dtype.newbyteorder(endian))
    head = header.binaryblock.ljust(int(header.get_data_offset()), b"\0")
    content = head + stored.tobytes(order="F")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("path", SCANS, ids=lambda path: path.name)
def test_real_scans_hold_what_nibabel_reads(path):
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array, nib.load(path).get_fdata())
    np.testing.assert_array_equal(volume.affine, nib.load(path).affine)
    assert volume.array.dtype == np.int16
    assert check_is_ct(volume) == ()


@pytest.mark.parametrize("path", MASKS, ids=lambda path: path.name)
def test_real_masks_hold_what_nibabel_reads(path):
    labels = read_labels(path)
    np.testing.assert_array_equal(labels.array, nib.load(path).get_fdata())
    np.testing.assert_array_equal(labels.affine, nib.load(path).affine)
    assert labels.array.dtype == np.uint8


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "expected"),
    [
        ("int16", None, None, "int16"),
        ("int16", 1, 0, "int16"),
        ("int32", None, None, "int16"),  # narrowed: it fits
        ("int64", 2, -7, "int16"),
        ("uint16", 1, -1024, "int16"),
        ("uint8", 8, -1000, "int16"),
        ("int8", 1, -900, "int16"),
        ("uint8", None, None, "uint8"),
        ("int16", 0.5, 0, "float32"),
        ("uint16", 1, 0.25, "float32"),
        ("int32", 1000, 0, "float32"),
        ("int16", 100, 0, "float32"),  # leaves int16's range
        ("float32", None, None, "float32"),
        ("float32", 2, 1, "float32"),
        ("float64", None, None, "float32"),
        ("float64", 2, 1, "float32"),
    ],
)
def test_every_dtype_and_scaling(tmp_path, stored, slope, intercept, expected, suffix, endian):
    limits = np.iinfo(stored) if stored[0] in "iu" else np.finfo(stored)
    raw = np.clip(VALUES, max(limits.min, -1000), min(limits.max, 2000)).astype(stored)
    path = save(tmp_path / f"ct{suffix}", raw, slope, intercept, endian=endian)
    volume = read_volume(path)
    wanted = raw.astype(float) * (slope or 1) + (intercept or 0)
    np.testing.assert_allclose(volume.array, wanted, rtol=1e-6)
    np.testing.assert_allclose(volume.array, nib.load(path).get_fdata(), rtol=1e-6)
    assert volume.array.dtype == np.dtype(expected)  # of this machine's byte order
    np.testing.assert_allclose(volume.affine, AFFINE, rtol=1e-6)


def test_values_too_wide_for_int16_are_kept(tmp_path):
    raw = np.array([0, 40000, 65535, 12], dtype=np.uint16).reshape(2, 1, 2).repeat(2, axis=1)
    np.testing.assert_array_equal(read_volume(save(tmp_path / "a.nii", raw)).array, raw)
    wide = raw.astype(np.int32) * 10
    volume = read_volume(save(tmp_path / "b.nii", wide))
    np.testing.assert_array_equal(volume.array, wide)
    assert volume.array.dtype == np.float32


def test_blocks_larger_than_one_are_converted_whole(tmp_path):
    raw = np.random.default_rng(1).normal(0, 500, (130, 110, 100))
    for suffix in (".nii", ".nii.gz"):
        volume = read_volume(save(tmp_path / f"ct{suffix}", raw, 2.0, 1.0))
        np.testing.assert_allclose(volume.array, raw * 2 + 1, rtol=1e-5, atol=1e-3)


def test_one_frame_in_4d_nifti2_and_a_wrong_suffix_are_read(tmp_path):
    raw = VALUES.astype(np.int16)
    assert read_volume(save(tmp_path / "a.nii", raw[..., None])).array.shape == (5, 6, 7)
    second = read_volume(save(tmp_path / "b.nii", raw, kind=nib.Nifti2Image))
    np.testing.assert_array_equal(second.array, raw)
    packed = save(tmp_path / "c.nii.gz", raw)
    np.testing.assert_array_equal(read_volume(packed.rename(tmp_path / "c.nii")).array, raw)


class TestBadFiles:
    def refuse(self, path, message, kind=FileFormatError):
        with pytest.raises(kind, match=message) as caught:
            read_volume(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_missing_folder_empty_text(self, tmp_path):
        self.refuse(tmp_path / "none.nii.gz", "no such file")
        self.refuse(tmp_path, "is a folder")
        (tmp_path / "empty.nii.gz").write_bytes(b"")
        self.refuse(tmp_path / "empty.nii.gz", "empty")
        (tmp_path / "text.nii").write_text("patient moved\n" * 60)
        self.refuse(tmp_path / "text.nii", "is no NIfTI file")
        (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"x" * 900))
        self.refuse(tmp_path / "text.nii.gz", "is no NIfTI file")

    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    @pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
    def test_cut_anywhere(self, tmp_path, suffix, share):
        path = save(tmp_path / f"ct{suffix}", VALUES.astype(np.int16))
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        self.refuse(path, "truncated|is no NIfTI")

    def test_damaged_inside(self, tmp_path):
        path = save(tmp_path / "ct.nii.gz", VALUES.astype(np.int16))
        content = bytearray(path.read_bytes())
        content[-6] ^= 1  # the checksum
        path.write_bytes(content)
        self.refuse(path, "damaged")

    def test_colors_and_complex_numbers(self, tmp_path):
        colors = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
        self.refuse(save(tmp_path / "rgb.nii", colors), "colors")
        self.refuse(save(tmp_path / "c.nii", np.zeros((4, 4, 4), complex)), "complex")

    def test_one_slice_or_many_frames(self, tmp_path):
        raw = VALUES.astype(np.int16)
        self.refuse(save(tmp_path / "a.nii", raw[..., :1]), "single slice", GeometryError)
        self.refuse(save(tmp_path / "b.nii", np.stack([raw, raw], -1)), "4-D")

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_voxels_that_are_not_finite_are_counted(self, tmp_path, dtype):
        raw = VALUES.astype(dtype)
        raw[0, 0, :3] = [np.nan, np.inf, -np.inf]
        self.refuse(save(tmp_path / "a.nii", raw), "3 of 210 voxels are NaN or infinite.*-1000")

    def test_numbers_beyond_float32_are_not_finite(self, tmp_path):
        raw = np.full((3, 3, 3), 1e300)
        self.refuse(save(tmp_path / "a.nii", raw), "27 of 27")


class TestLabels:
    def test_stored_as_floats_or_scaled(self, tmp_path):
        raw = np.array([0, 20, 28, 1]).reshape(1, 2, 2).repeat(2, axis=0)
        for name, stored in [("f", raw + 1e-5), ("i", raw.astype(np.int64))]:
            labels = read_labels(save(tmp_path / f"{name}.nii", stored))
            np.testing.assert_array_equal(labels.array, raw)
            assert labels.array.dtype == np.uint8
        scaled = read_labels(save(tmp_path / "s.nii", (raw * 2).astype(np.uint8), 0.5, 0))
        np.testing.assert_array_equal(scaled.array, raw)

    def test_large_labels_keep_their_value(self, tmp_path):
        raw = np.array([0, 300, 70000, 1]).reshape(1, 2, 2).repeat(2, axis=0)
        labels = read_labels(save(tmp_path / "a.nii", raw.astype(np.int32)))
        np.testing.assert_array_equal(labels.array, raw)

    def test_an_interpolated_mask_and_a_ct_are_refused(self, tmp_path):
        soft = save(tmp_path / "a.nii", np.linspace(0, 20, 27).reshape(3, 3, 3))
        with pytest.raises(FileFormatError, match="away from a whole number"):
            read_labels(soft)
        with pytest.raises(FileFormatError, match="Is this the CT"):
            read_labels(save(tmp_path / "b.nii", VALUES.astype(np.int16)))


class TestWrite:
    @pytest.mark.parametrize(
        ("dtype", "stored"),
        [
            ("float32", "float32"),
            ("float64", "float32"),
            ("int16", "int16"),
            ("uint8", "uint8"),
            ("bool", "uint8"),
            ("int64", "int16"),  # stored as int32, narrowed on reading
        ],
    )
    def test_round_trip(self, tmp_path, dtype, stored):
        array = np.clip(VALUES, 0, 1).astype(dtype)
        for name in ("a.nii", "a.nii.gz"):
            write_nifti(tmp_path / name, array, AFFINE)
            volume = read_volume(tmp_path / name)
            np.testing.assert_array_equal(volume.array, array)
            assert volume.array.dtype == np.dtype(stored)
            np.testing.assert_allclose(volume.affine, AFFINE, rtol=1e-6)

    def test_a_sheared_affine_survives_and_a_straight_one_has_both_forms(self, tmp_path):
        sheared = AFFINE.copy()
        sheared[1, 2] = 0.5
        for affine, qform in [(sheared, 0), (AFFINE, 1)]:
            write_nifti(tmp_path / "a.nii.gz", VALUES, affine)
            image = nib.load(tmp_path / "a.nii.gz")
            np.testing.assert_allclose(image.affine, affine, rtol=1e-6)
            assert int(image.header["qform_code"]) == qform

    def test_same_array_same_bytes(self, tmp_path):
        for name in ("a.nii.gz", "b.nii.gz"):
            write_nifti(tmp_path / name, VALUES, AFFINE)
        assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()

    def test_a_missing_folder_is_one_clear_error(self, tmp_path):
        with pytest.raises(OutputError, match="cannot be written"):
            write_nifti(tmp_path / "none" / "a.nii.gz", VALUES, AFFINE)


class TestIsCT:
    def test_a_mask_is_refused(self):
        mask = read_labels(MASKS[0])
        with pytest.raises(FileFormatError, match="Is this a mask"):
            check_is_ct(Volume(mask.array, mask.affine))

    def test_an_mr_image_is_flagged(self):
        mr = Volume(np.abs(VALUES).astype(np.int16), AFFINE)
        (flag,) = check_is_ct(mr)
        assert flag.startswith("not_hounsfield")

    def test_a_dull_scan_is_no_mask(self):
        values = np.random.default_rng(0).uniform(0, 250, (6, 6, 6))
        assert check_is_ct(Volume(values, AFFINE))[0].startswith("not_hounsfield")


def test_a_description_stands_in_the_header(tmp_path):
    write_nifti(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16), np.eye(4), "drawn")
    header = nib.load(tmp_path / "a.nii").header
    assert bytes(header["descrip"]).rstrip(b"\0") == b"drawn"
