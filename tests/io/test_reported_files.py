"""Scans as public reports describe them, rebuilt small; each names its report."""

import warnings

import nibabel as nib
import numpy as np
import pytest

from spinexplain.errors import FileFormatError, GeometryError, SpinexplainError
from spinexplain.io.dicom import list_series, read_dicom
from spinexplain.io.nifti import read_volume
from spinexplain.io.read import read_scan
from spinexplain.io.scan_flags import ORIENTATION_UNKNOWN, SFORM_QFORM_DIFFER, ScanWarning

AFFINE = np.array([[-0.8, 0, 0, 90], [0, -0.8, 0, 70], [0, 0, 2.0, -300], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def body():
    """Air around muscle and fat with some bone, 30 x 30 x 24."""
    rng = np.random.default_rng(0)
    hu = np.full((30, 30, 24), -1000.0)
    hu[4:26, 4:26] = 50
    hu[5:25, 6:9] = -100
    hu[12:18, 12:18] = 250
    return np.clip(np.rint(hu + rng.normal(0, 12, hu.shape)), -1020, None).astype(np.int16)


def image(array, affine=AFFINE, sform=1, qform=1):
    made = nib.Nifti1Image(array, affine)
    made.set_sform(affine if sform else None, sform)
    made.set_qform(affine if qform else None, qform)
    return made


def quiet(read, path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path)


def test_an_sform_of_code_zero_is_not_used(tmp_path, body):
    """simnibs/simnibs#448: qform code 1, sform code 0 with ones on the diagonal."""
    made = image(body)
    made.set_sform(np.eye(4), 0)
    nib.save(made, tmp_path / "ct.nii")
    np.testing.assert_allclose(quiet(read_volume, tmp_path / "ct.nii").affine, AFFINE, atol=1e-4)


def test_a_qform_that_can_not_say_the_shear_is_no_conflict(tmp_path, body):
    """nipreps/niworkflows#361: warn only if the qform says more than it cannot express."""
    sheared = AFFINE.copy()
    sheared[1, 2] = 0.3
    made = image(body, sheared)
    nib.save(made, tmp_path / "ct.nii")
    assert quiet(read_volume, tmp_path / "ct.nii").flags == ()


@pytest.mark.parametrize("change", [np.diag([-1.0, 1, 1, 1]), np.eye(4) + 8 * np.eye(4, k=3)])
def test_left_and_right_stored_twice_and_differently(tmp_path, body, change):
    """MRtrix3/mrtrix3#94: inconsistent left-right order in sform and qform."""
    made = image(body)
    other = change @ AFFINE
    other[3] = [0, 0, 0, 1]
    made.set_qform(other, 1)
    nib.save(made, tmp_path / "ct.nii")
    with pytest.warns(ScanWarning, match="place the scan differently"):
        assert read_volume(tmp_path / "ct.nii").flags == (SFORM_QFORM_DIFFER,)


def test_a_header_without_any_place(tmp_path, body):
    """nipy/nibabel#182, nilearn#3168: no codes, the affine is a guess from pixdim."""
    nib.save(image(body, sform=0, qform=0), tmp_path / "ct.nii")
    raw = bytearray((tmp_path / "ct.nii").read_bytes())
    raw[252:256] = bytes(4)
    (tmp_path / "ct.nii").write_bytes(raw)
    with pytest.warns(ScanWarning, match="does not say how the scan lies"):
        assert read_volume(tmp_path / "ct.nii").flags == (ORIENTATION_UNKNOWN,)


def test_microns_become_millimeters(tmp_path, body):
    """ITK pull 4595, khanlab/zarrnii#180: numbers in microns, and the header says so."""
    made = image(body, np.diag([1e3, 1e3, 1e3, 1.0]) @ AFFINE)
    made.header.set_xyzt_units("micron")
    nib.save(made, tmp_path / "ct.nii")
    found = quiet(read_volume, tmp_path / "ct.nii")
    np.testing.assert_allclose(found.affine, AFFINE, rtol=1e-5)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("micron", 1.0), ("meter", 1.0), ("mm", 1e-3), ("mm", 1e3), ("unknown", 1e3)],
)
def test_numbers_in_another_unit_than_the_header_says(tmp_path, body, unit, factor):
    """ANTsX/ANTs#1114 (unit set, numbers not), MagneticResonanceImaging/MRIReco.jl#126."""
    made = image(body, np.diag([factor, factor, factor, 1.0]) @ AFFINE)
    made.header.set_xyzt_units(unit)
    nib.save(made, tmp_path / "ct.nii")
    with pytest.raises(GeometryError, match=r"voxels of .* Check the voxel spacing and its unit"):
        read_volume(tmp_path / "ct.nii")


def test_gray_values_of_pictures(tmp_path, body):
    """wasserth/TotalSegmentator#400: a NIfTI made from JPEGs has no Hounsfield units."""
    gray = np.clip((body + 160) / 400 * 255, 0, 255).astype(np.uint8)
    nib.save(image(gray), tmp_path / "ct.nii")
    with pytest.warns(ScanWarning, match="Is it a CT in HU"):
        read_scan(tmp_path / "ct.nii")


def test_values_from_zero_to_one(tmp_path, body):
    """MIC-DKFZ/mood#2: abdominal CTs as floats in [0, 1]."""
    nib.save(image(((body + 1024) / 4096).astype(np.float32)), tmp_path / "ct.nii")
    with pytest.raises(FileFormatError, match="no Hounsfield units"):
        read_scan(tmp_path / "ct.nii")


def test_a_display_window_burned_in(tmp_path, body):
    """bowang-lab/MedSAM#101, bkong999/COVNet#22: clipped to a window before saving."""
    nib.save(image(np.clip(body, -160, 240)), tmp_path / "ct.nii")
    with pytest.warns(ScanWarning, match="cut off at -160, as by a display window"):
        read_scan(tmp_path / "ct.nii")


def test_an_offset_of_32768(tmp_path, body):
    """rsummers11/CADLab#59: DeepLesion stores HU + 32768."""
    nib.save(image((body.astype(int) + 32768).astype(np.uint16)), tmp_path / "ct.nii")
    with pytest.raises(FileFormatError, match="denser than any patient"):
        read_scan(tmp_path / "ct.nii")


@pytest.mark.parametrize("offset", [1024, -1024])
def test_the_intercept_forgotten_or_applied_twice(tmp_path, body, offset):
    """notmatthancock/pylidc pull 32: lowest value 0, far from the real distribution."""
    nib.save(image((body + offset).astype(np.int16)), tmp_path / "ct.nii")
    with pytest.raises(FileFormatError, match=r"air lies at about .* rescale intercept"):
        read_scan(tmp_path / "ct.nii")


def test_a_scan_whose_middle_slices_lost_their_offset(tmp_path, body):
    """rordenlab/dcm2niix#973, after conversion: nothing but the values shows it."""
    odd = body.copy()
    odd[:, :, 10:13] += 1024
    nib.save(image(odd), tmp_path / "ct.nii")
    with pytest.raises(FileFormatError, match=r"3 slices \(10, 11, 12, counted from 0\)"):
        read_scan(tmp_path / "ct.nii")


def series(dicom, body, **tags):
    made = dicom.Series(body, AFFINE @ np.diag([1.0, 1.0, 1.0, 1.0]))
    made.tags = tags
    return made


def write(dicom, folder, made, change=lambda dataset, k: None):
    folder.mkdir()
    for k in range(made.array.shape[2]):
        dataset = dicom.slice(made, k)
        change(dataset, k)
        dicom.save(dataset, folder / f"{k}.dcm")
    return folder


def test_slices_with_two_different_intercepts(tmp_path, dicom, body):
    """InsightSoftwareConsortium/ITK-Wasm#1248: -2047 in most slices, -1024 in some."""

    def change(dataset, k):
        if k % 3:
            stored = np.frombuffer(dataset.PixelData, np.uint16) + np.uint16(1023)
            dataset.PixelData, dataset.RescaleIntercept = stored.tobytes(), "-2047"

    folder = write(dicom, tmp_path / "s", series(dicom, body), change)
    np.testing.assert_array_equal(quiet(read_dicom, folder).array, body)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("SeriesNumber", "4.1"), ("SliceThickness", "Amadeus"), ("SeriesDescription", "Amadeus")],
)
def test_an_anonymizer_that_writes_words_into_numbers(tmp_path, dicom, body, keyword, value):
    """moloney/dcmstack#63 ('Amadeus' everywhere), pydicom/pydicom#1643 (IS of 4.1)."""

    def change(dataset, k):
        dataset[keyword]._value = value

    made = series(dicom, body, SliceThickness="2", SeriesDescription="x")
    folder = write(dicom, tmp_path / "s", made, change)
    np.testing.assert_array_equal(quiet(read_dicom, folder).array, body)


def test_a_word_for_the_spacing_is_named_and_spoils_its_series_only(tmp_path, dicom, body):
    """moloney/dcmstack#63, where the geometry needs the number."""

    def change(dataset, k):
        dataset["PixelSpacing"]._value = "Amadeus"

    folder = write(dicom, tmp_path / "s", series(dicom, body), change)
    with pytest.raises(FileFormatError, match="Pixel Spacing 'Amadeus', expected 2 numbers"):
        read_dicom(folder)
    good = dicom.Series(body, AFFINE, uid="1.2.99", number=9)
    write(dicom, folder / "good", good)
    np.testing.assert_array_equal(read_dicom(folder).array, body)
    assert any("Amadeus" in one.problem for one in list_series(folder))


def test_padding_given_as_a_range(tmp_path, dicom, body):
    """dgobbi/vtk-dicom#128: PixelPaddingRangeLimit beside PixelPaddingValue."""

    def change(dataset, k):
        stored = np.frombuffer(dataset.PixelData, np.uint16).reshape(30, 30).copy()
        stored[0], stored[-1] = 65535, 65000
        dataset.PixelData = stored.tobytes()
        dataset.add_new("PixelPaddingValue", "US", 65535)
        dataset.add_new("PixelPaddingRangeLimit", "US", 64000)

    folder = write(dicom, tmp_path / "s", series(dicom, body), change)
    found = quiet(read_dicom, folder).array
    assert found.dtype == np.int16
    assert np.all(found[:, [0, -1]] == -1024)
    np.testing.assert_array_equal(found[:, 1:-1], body[:, 1:-1])


def test_padding_of_the_value_of_water_stays_inside_the_patient(tmp_path, dicom, body):
    """fo-dicom/fo-dicom#406: a padding value that real pixels have too."""
    level = int(body[15, 20, 5])

    def change(dataset, k):
        dataset.add_new("PixelPaddingValue", "US", level + 1024)

    folder = write(dicom, tmp_path / "s", series(dicom, body), change)
    found = read_dicom(folder).array
    assert found[15, 20, 5] == level


def test_frames_that_repeat_a_shared_group_in_part(tmp_path, dicom, body):
    """cornerstonejs/cornerstone3D pull 2291: the frame's group holds only the slice spacing."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    made = series(dicom, body)
    dataset = dicom.enhanced(made, list(range(body.shape[2])))
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        part = Dataset()
        part.SpacingBetweenSlices = "2"
        frame.PixelMeasuresSequence = Sequence([part])
    dicom.save(dataset, tmp_path / "ct.dcm")
    np.testing.assert_array_equal(quiet(read_dicom, tmp_path / "ct.dcm").array, body)


def test_many_frames_in_a_class_for_one(tmp_path, dicom, body):
    """icometrix/dicom2nifti#127: a cone-beam CT of many frames as plain CT Image Storage."""
    made = series(dicom, body, NumberOfFrames=24)
    dataset = dicom.slice(made, 0)
    dataset.PixelData = dataset.PixelData * 24
    dicom.save(dataset, tmp_path / "ct.dcm")
    with pytest.raises(SpinexplainError, match="several frames without their positions"):
        read_dicom(tmp_path / "ct.dcm")


def test_two_phases_between_each_other_in_one_series(tmp_path, dicom, body):
    """rordenlab/dcm2niix#721: slices of several acquisitions of one series interleaved."""

    def change(dataset, k):
        dataset.AcquisitionNumber = 2 + k % 2

    folder = write(dicom, tmp_path / "s", series(dicom, body), change)
    with pytest.raises(GeometryError, match=r"2 acquisitions \(numbers 2, 3\) alternate"):
        read_dicom(folder)


def test_a_background_that_overflowed(tmp_path, body):
    """icometrix/dicom2nifti pull 144: values of -32768 came out as about 32767."""
    array = body.copy()
    array[:3], array[-3:], array[:, :3], array[:, -3:] = (32767,) * 4
    nib.save(image(array), tmp_path / "ct.nii")
    with pytest.warns(ScanWarning, match="32767 outside the field of view is padding"):
        found = read_scan(tmp_path / "ct.nii").array
    assert found.max() < 400
    np.testing.assert_array_equal(found[4:26, 4:26], body[4:26, 4:26])


def test_values_that_wrapped_in_wide_unsigned_numbers(tmp_path, body):
    """PolusAI/nyxus pull 369: -1000 HU read as 4294966296."""
    wrapped = body.astype(np.int64) % 2**32
    nib.save(image(wrapped.astype(np.uint32)), tmp_path / "ct.nii")
    with pytest.raises(SpinexplainError, match="denser than any patient"):
        read_scan(tmp_path / "ct.nii")
