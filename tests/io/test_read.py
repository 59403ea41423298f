"""The front door: every form of scan and mask, and what is refused."""

import hashlib
import warnings
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spinexplain.errors import ConfigError, FileFormatError, GeometryError, LabelError
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import (
    header_names,
    read_body,
    read_identified_scan,
    read_mask,
    read_scan,
    scan_sha256,
)
from spinexplain.io.scan_flags import ScanWarning

DATA = Path(__file__).parents[1] / "data"
EXAMPLE = DATA / "totalsegmentator-example"
TPTBOX = DATA / "tptbox-sample-ct"


@pytest.fixture
def spine_labels():
    """Blocks of L1, L2 and L3, 25 mm apart."""
    array = np.zeros((8, 8, 20), np.uint8)
    for label, top in ((20, 17), (21, 12), (22, 7)):
        array[1:7, 1:7, top - 3 : top] = label
    return array, np.diag([5.0, 5, 5, 1])


def test_scans_of_every_form(tmp_path, dicom):
    assert read_scan(TPTBOX / "sub-ct_label-22_ct.nii.gz").array.shape == (73, 47, 73)
    assert read_scan(DATA / "dcmqi-ct-3slice").array.shape == (512, 512, 3)
    series = dicom.volume()
    dicom.save(dicom.enhanced(series, [0, 1, 2, 3, 4]), tmp_path / "frames.dcm")
    np.testing.assert_array_equal(read_scan(tmp_path / "frames.dcm").array, series.array)


def test_names_do_not_matter_for_nifti(tmp_path):
    whole = (TPTBOX / "sub-ct_label-22_ct.nii.gz").read_bytes()
    (tmp_path / "scan <b> 'é'\n.img").write_bytes(whole)
    assert read_scan(tmp_path / "scan <b> 'é'\n.img").array.shape == (73, 47, 73)


@pytest.mark.parametrize(
    "name",
    ["two words", "Ünïcode 脊椎", 'quote\'s "double"', "line\nbreak", "<b>&amp;", "-rf", "%s{0}"],
)
def test_awkward_names_of_folders_and_zips(tmp_path, dicom, name):
    series = dicom.volume()
    folder = dicom.folder(tmp_path / name, series)
    np.testing.assert_array_equal(read_scan(folder).array, series.array)
    with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"{name.replace(chr(10), '_')}/{file.name}")
    np.testing.assert_array_equal(read_scan(tmp_path / f"{name}.zip").array, series.array)


def test_series_belongs_to_dicom():
    with pytest.raises(ConfigError, match="is not DICOM"):
        read_scan(TPTBOX / "sub-ct_label-22_ct.nii.gz", series="2")


def test_what_is_no_scan(tmp_path):
    with pytest.raises(FileFormatError, match="mask"):
        read_scan(EXAMPLE / "totalseg.nii.gz")
    with pytest.raises(FileFormatError, match="no such file"):
        read_scan(tmp_path / "nothing")
    with pytest.raises(FileFormatError, match="no DICOM"):
        read_scan(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(FileFormatError, match="empty"):
        read_scan(tmp_path / "empty")


def test_mr_looking_scans_are_warned_about(tmp_path, dicom):
    dicom.folder(tmp_path, dicom.volume(low=0, high=900))
    with pytest.warns(ScanWarning, match="not_hounsfield"):
        read_scan(tmp_path)


def test_hashes_tell_scans_apart_and_forms_of_one_series_not(tmp_path, dicom):
    path = TPTBOX / "sub-ct_label-22_ct.nii.gz"
    assert scan_sha256(path, read_scan(path)) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_identified_scan(path)[1] == scan_sha256(path)
    series = dicom.volume()
    first = dicom.folder(tmp_path / "a", series, np.random.default_rng(1))
    second = dicom.folder(tmp_path / "b", series, np.random.default_rng(2))
    digests = [scan_sha256(folder, read_scan(folder)) for folder in (first, second)]
    assert digests[0] == digests[1] == read_identified_scan(first)[1]
    series.array[0, 0, 0] += 1
    third = dicom.folder(tmp_path / "c", series)
    assert scan_sha256(third, read_scan(third)) != digests[0]


def test_real_masks_by_the_names_in_their_headers():
    assert header_names(EXAMPLE / "totalseg.nii.gz")[31] == "vertebrae_L1"
    assert header_names(EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz")[20] == "vertebrae_L1"
    assert header_names(TPTBOX / "sub-ct_label-22_ct.nii.gz") == {}
    assert np.unique(read_mask(EXAMPLE / "totalseg.nii.gz").array).tolist() == [0, *range(18, 25)]
    refined = read_mask(EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz").array
    assert np.unique(refined).tolist() == [0, *range(19, 25)]


def test_names_win_over_numbers(tmp_path, spine_labels):
    array, affine = spine_labels
    image = nib.Nifti1Image(array, affine)
    xml = b'<Label Key="21" Red="0" Alpha="1"><![CDATA[vertebrae_T7]]></Label>'
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, xml))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"other"))
    nib.save(image, tmp_path / "m.nii.gz")
    assert np.unique(read_mask(tmp_path / "m.nii.gz").array).tolist() == [0, 14]


def test_a_scheme_given_is_obeyed_or_refused(tmp_path, spine_labels):
    array, affine = spine_labels
    write_nifti(tmp_path / "m.nii.gz", np.where(array, 51 - array, 0), affine)
    mask = read_mask(tmp_path / "m.nii.gz", "totalsegmentator")
    np.testing.assert_array_equal(mask.array, array)
    with pytest.raises(
        LabelError, match=r"m\.nii\.gz: the mask holds labels 29, 30, 31, none of them"
    ):
        read_mask(tmp_path / "m.nii.gz", "verse")
    with pytest.raises(ConfigError, match="'x' is unknown"):
        read_mask(tmp_path / "m.nii.gz", "x")


def test_a_binary_mask_needs_a_name(tmp_path, spine_labels):
    mask = read_mask(DATA / "totalsegmentator-thoracic" / "vertebra_T12_msk.nii.gz")
    assert np.unique(mask.array).tolist() == [0, 19]
    array, affine = spine_labels
    write_nifti(tmp_path / "m.nii.gz", (array == 20).astype(np.uint8), affine)
    with pytest.raises(LabelError, match="does not say which vertebra"):
        read_mask(tmp_path / "m.nii.gz")
    assert np.unique(read_mask(tmp_path / "m.nii.gz", "verse").array).tolist() == [0, 1]


def test_a_folder_of_single_vertebra_masks(tmp_path, spine_labels):
    array, affine = spine_labels
    for label, name in ((20, "vertebrae_L1"), (21, "vertebrae_L2"), (22, "vertebrae_L3")):
        write_nifti(tmp_path / f"{name}.nii.gz", (array == label).astype(np.uint8), affine)
    write_nifti(tmp_path / "vertebrae_S1.nii.gz", np.ones_like(array), affine)
    write_nifti(tmp_path / "liver.nii.gz", np.ones_like(array), affine)
    np.testing.assert_array_equal(read_mask(tmp_path).array, array)
    write_nifti(tmp_path / "vertebrae_L4.nii.gz", (array == 20).astype(np.uint8), affine)
    with pytest.raises(LabelError, match=r"L4\.nii\.gz: 108 voxels belong to another"):
        read_mask(tmp_path)
    write_nifti(tmp_path / "vertebrae_L4.nii.gz", np.ones((3, 3, 3), np.uint8), affine)
    with pytest.raises(GeometryError, match=r"L4\.nii\.gz: lies on another grid"):
        read_mask(tmp_path)


def test_a_folder_of_empty_masks(tmp_path, spine_labels):
    array, affine = spine_labels
    write_nifti(tmp_path / "vertebrae_L1.nii.gz", np.zeros_like(array), affine)
    with pytest.raises(LabelError, match="every mask is empty"):
        read_mask(tmp_path)


def test_the_output_folder_of_spine_segment(tmp_path, spine_labels):
    array, affine = spine_labels
    array[array > 0] += 2
    array[1:7, 1:7, 0:2] = 28  # its sacrum, below L5
    write_nifti(tmp_path / "ct_vertebral-level.nii.gz", array, affine)
    write_nifti(tmp_path / "ct_process-body.nii.gz", np.where(array, 2, 0), affine)
    write_nifti(tmp_path / "ct_cort-trab.nii.gz", (array > 0).astype(np.uint8), affine)
    assert np.unique(read_mask(tmp_path).array).tolist() == [0, 22, 23, 24]
    np.testing.assert_array_equal(read_body(tmp_path).array, array > 0)


def test_a_folder_with_too_many_masks(tmp_path, spine_labels):
    array, affine = spine_labels
    for name in ("a", "b"):
        write_nifti(tmp_path / f"{name}.nii.gz", array, affine)
    with pytest.raises(FileFormatError, match=r"0 NIfTI files named .* and 2 in all"):
        read_mask(tmp_path)


def test_real_body_masks():
    body = read_body(EXAMPLE / "totalseg_vertebrae_body.nii.gz")
    assert body.array.max() == 1
    vertebrae = read_mask(EXAMPLE / "totalseg.nii.gz").array > 0
    assert vertebrae[body.array > 0].mean() > 0.5
    assert read_body(TPTBOX / "sub-ct_seg-subreg_label-22_msk.nii.gz").array.sum() > 10_000


def test_a_ct_is_no_mask():
    with pytest.raises(FileFormatError, match="Is this the CT instead of its mask"):
        read_mask(EXAMPLE / "example_ct.nii.gz")


def test_reading_real_scans_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_scan(DATA / "dcmqi-ct-3slice")
        read_scan(EXAMPLE / "example_ct.nii.gz")


def test_a_name_that_does_not_fit_the_bone_is_warned_of(tmp_path):
    """A lumbar bone in a file that is named after an upper thoracic one."""
    labels = read_mask(EXAMPLE / "totalseg.nii.gz")
    for name, fits in (("vertebrae_L3", True), ("vertebrae_T4", False)):
        write_nifti(tmp_path / f"{name}.nii.gz", labels.array == 22, labels.affine)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            read_mask(tmp_path / f"{name}.nii.gz")
        assert [str(one.message).count("times the usual volume of T4") for one in said] == (
            [] if fits else [1]
        )
