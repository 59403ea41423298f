"""Whole series: any order, orientation, spacing, tilt and encoding give back the volume."""

import logging
import subprocess
import sys
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinexplain.errors import FileFormatError, GeometryError, SpinexplainError
from spinexplain.io.dicom import holds_dicom, list_series, read_dicom
from spinexplain.io.scan_flags import ScanWarning

DATA = Path(__file__).parents[1] / "data"
REAL = DATA / "dcmqi-ct-3slice"
NIFTI = DATA / "tptbox-sample-ct" / "sub-ct_label-22_ct.nii.gz"

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
JPEG_2000 = "1.2.840.10008.1.2.4.90"


def random_affine(seed, spacing, tilt_degrees=0.0):
    """A lattice of any orientation; slices stack along their normal, or tilted."""
    axes = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    normal = np.cross(*(np.diag([-1, -1, 1]) @ axes[:, :2]).T) * [-1, -1, 1]
    tilt = np.tan(np.radians(tilt_degrees))
    affine = np.eye(4)
    affine[:3, 0] = axes[:, 0] * spacing[0]
    affine[:3, 1] = axes[:, 1] * spacing[1]
    affine[:3, 2] = (normal + tilt * axes[:, 1]) * spacing[2]
    affine[:3, 3] = np.random.default_rng(seed + 1).uniform(-400, 400, 3)
    return affine


def _not_at_the_limit(tilt):
    return abs(abs(tilt) - 0.5) > 1e-3


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(2, 12)),
    spacing=st.tuples(*[st.floats(0.2, 5.0)] * 3),
    tilt=st.one_of(st.just(0.0), st.floats(-30.0, 30.0).filter(_not_at_the_limit)),
    enhanced=st.booleans(),
)
def test_any_lattice_comes_back(tmp_path_factory, dicom, seed, shape, spacing, tilt, enhanced):
    series = dicom.volume(shape, seed=seed)
    series.affine = random_affine(seed, spacing, tilt)
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(seed)
    if enhanced:
        dicom.save(dicom.enhanced(series, rng.permutation(shape[2])), folder / "frames")
    else:
        dicom.folder(folder, series, rng)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        volume = read_dicom(folder)
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, series.array)
    np.testing.assert_allclose(volume.affine, series.affine, atol=1e-6)
    tilted = [str(w.message) for w in caught if w.category is ScanWarning]
    assert len(tilted) == (abs(tilt) > 0.5), tilted


@pytest.mark.parametrize("seed", range(3))
def test_untilted_series_agree_with_simpleitk(tmp_path, dicom, seed):
    series = dicom.volume((8, 6, 5), seed=seed)
    series.affine = random_affine(seed, (0.7, 0.9, 1.3))
    folder = dicom.folder(tmp_path / "s", series, np.random.default_rng(seed))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    volume = read_dicom(folder)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image).transpose(2, 1, 0))
    for index in [(0, 0, 0), (7, 5, 4), (3, 1, 2)]:
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        mm = volume.affine @ [*index, 1]
        np.testing.assert_allclose(mm[:3], lps * [-1, -1, 1], atol=1e-4)


def test_real_slices():
    volume = read_dicom(REAL)
    assert volume.array.shape == (512, 512, 3)
    assert volume.array.dtype == np.int16
    assert volume.array.flags.f_contiguous
    np.testing.assert_allclose(volume.spacing_mm, (0.810547, 0.810547, 1.0))
    image = sitk.ReadImage([str(REAL / f"0{i}.dcm") for i in (3, 2, 1)])
    stored = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    assert stored.min() == -3024  # the padding value outside the field of view: no data
    np.testing.assert_array_equal(volume.array, np.where(stored == -3024, -1024, stored))
    np.testing.assert_allclose(volume.affine[:3, 3], [235.2, 226.8, -128.69], atol=1e-4)


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN, DEFLATED, RLE, JPEG_2000])
@pytest.mark.parametrize("enhanced", [False, True])
def test_transfer_syntaxes(tmp_path, dicom, syntax, enhanced):
    series = dicom.volume((64, 64, 4))
    series.syntax = syntax
    if enhanced:
        dicom.save(dicom.enhanced(series, [2, 0, 3, 1]), tmp_path / "frames", syntax)
    else:
        dicom.folder(tmp_path, series)
    np.testing.assert_array_equal(read_dicom(tmp_path).array, series.array)


def test_a_file_without_preamble_and_meta(tmp_path, dicom):
    series = dicom.volume()
    for implicit in (True, False):
        folder = tmp_path / f"s{implicit}"
        folder.mkdir()
        for k in range(5):
            dataset = dicom.slice(series, k)
            del dataset.file_meta
            dataset.preamble = None
            dataset.save_as(folder / f"{k}", implicit_vr=implicit, little_endian=True)
        assert (folder / "0").read_bytes()[128:132] != b"DICM"
        np.testing.assert_array_equal(read_dicom(folder).array, series.array)


def test_zip_nested_folders_and_other_files(tmp_path, dicom):
    series = dicom.volume()
    dicom.folder(tmp_path / "export" / "DICOM" / "S 1", series)
    (tmp_path / "export" / "readme.txt").write_text("autorun")
    (tmp_path / "export" / "empty").write_bytes(b"")
    np.testing.assert_array_equal(read_dicom(tmp_path / "export").array, series.array)
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted((tmp_path / "export").rglob("*")):
            zipped.write(file, file.relative_to(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    np.testing.assert_array_equal(read_dicom(archive).array, series.array)
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked"
    assert holds_dicom(archive)


def test_dicomdir_is_ignored(tmp_path, dicom):
    from pydicom.fileset import FileSet

    series = dicom.volume()
    files = FileSet()
    for k in range(5):
        dataset = dicom.slice(series, k)
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20200101", "120000", "1"
        files.add(dataset)
    files.write(tmp_path / "set")
    assert (tmp_path / "set" / "DICOMDIR").is_file()
    np.testing.assert_array_equal(read_dicom(tmp_path / "set").array, series.array)
    assert len(list_series(tmp_path / "set")) == 1


def test_several_series_are_listed_and_chosen(tmp_path, dicom):
    bone, soft = dicom.volume(seed=1), dicom.volume((7, 6, 9), seed=2)
    bone.uid, bone.number, bone.tags = "1.2.3.77", 7, {"SeriesDescription": "Spine bone 1.0"}
    soft.uid, soft.number, soft.tags = "1.2.3.88", 8, {"SeriesDescription": "Spine soft 1.0"}
    dicom.folder(tmp_path, bone)
    dicom.folder(tmp_path, soft)
    with pytest.raises(FileFormatError) as caught:
        read_dicom(tmp_path)
    for part in (
        "holds 2 CT volumes",
        '7: "Spine bone 1.0"',
        '8: "Spine soft 1.0"',
        "9 slices of 2 mm",
    ):
        assert part in str(caught.value)
    assert dicom.patient not in str(caught.value)
    for wanted in ("8", "1.2.3.8", "spine SOFT 1.0", "soft"):
        np.testing.assert_array_equal(read_dicom(tmp_path, wanted).array, soft.array)
    np.testing.assert_array_equal(read_dicom(tmp_path, "7").array, bone.array)
    for wanted, found in (("9", "0 series fit"), ("spine", "2 series fit"), ("1.2.3", "2 series")):
        with pytest.raises(FileFormatError, match=found):
            read_dicom(tmp_path, wanted)
    assert [info.key for info in list_series(tmp_path)] == ["7", "8"]


def test_missing_slices_are_refused_with_their_positions(tmp_path, dicom):
    series = dicom.volume((4, 4, 12))
    dicom.folder(tmp_path, series, skip={6, 9})
    with pytest.raises(GeometryError) as caught:
        read_dicom(tmp_path)
    message = str(caught.value)
    assert "slices are missing" in message
    assert "-290.00 and -286.00 mm" in message
    assert "-284.00 and -280.00 mm" in message


def test_pixels_cut_short_name_the_file(tmp_path, dicom):
    dicom.folder(tmp_path, dicom.volume())
    victim = sorted(tmp_path.iterdir())[2]
    victim.write_bytes(victim.read_bytes()[:-20])
    with pytest.raises(FileFormatError, match=f"{victim.name}: its pixels cannot be decoded"):
        read_dicom(tmp_path)


def test_a_file_cut_anywhere_never_loses_a_slice_silently(tmp_path, dicom):
    """The top slice is cut: without it the rest would pass as a whole series."""
    series = dicom.volume()
    for k in range(5):
        dicom.save(dicom.slice(series, k), tmp_path / str(k))
    whole = (tmp_path / "4").read_bytes()
    for length in [*range(132, len(whole), 29), len(whole) - 1]:
        (tmp_path / "4").write_bytes(whole[:length])
        with pytest.raises(SpinexplainError):
            read_dicom(tmp_path)


def test_no_dicom_at_all(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(FileFormatError, match="holds no DICOM files"):
        read_dicom(tmp_path)
    assert list_series(tmp_path) == []
    assert not holds_dicom(tmp_path)


def test_missing_pydicom_says_how_to_install(monkeypatch):
    monkeypatch.setattr("spinexplain.io.dicom.find_spec", lambda name: None)
    with pytest.raises(FileFormatError, match=r"pip install 'spinexplain\[dicom\]'"):
        read_dicom(REAL)


def test_reading_nifti_works_without_pydicom():
    code = (
        "import builtins\n"
        "whole = builtins.__import__\n"
        "def partial(name, *rest, **more):\n"
        "    if name.split('.')[0] == 'pydicom':\n"
        "        raise ModuleNotFoundError(name)\n"
        "    return whole(name, *rest, **more)\n"
        "builtins.__import__ = partial\n"
        "from spinexplain.io.read import read_scan\n"
        f"print(read_scan({str(NIFTI)!r}).array.shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "(73, 47, 73)", done.stderr


def broken_series(tmp_path, dicom):
    """Folders that each fail in another place, every patient tag filled."""
    cases = {}

    def case(name, edit=None, **kwargs):
        series = dicom.volume()
        folder = tmp_path / name
        folder.mkdir()
        for k in range(5):
            dataset = dicom.slice(series, k)
            if edit:
                edit(dataset, k)
            dicom.save(dataset, folder / str(k))
        cases[name] = folder
        return folder

    case("fine")
    case("mr", lambda d, k: setattr(d, "Modality", "MR"))
    case("position", lambda d, k: k == 2 and delattr(d, "ImagePositionPatient"))
    case("sizes", lambda d, k: k == 2 and setattr(d, "Rows", 3))
    case("bits", lambda d, k: k == 2 and setattr(d, "BitsAllocated", 8))
    case("slope", lambda d, k: k == 2 and setattr(d, "RescaleSlope", 0))
    case("unit", lambda d, k: setattr(d, "RescaleType", "Z_EFF"))
    case("place", lambda d, k: k == 2 and setattr(d, "ImagePositionPatient", [0, 0, -292]))
    case("pixels", lambda d, k: k == 2 and delattr(d, "PixelData"))
    folder = case("cut")
    (folder / "2").write_bytes((folder / "2").read_bytes()[:900])
    folder = case("junk")
    (folder / "2").write_bytes(bytes(128) + b"DICM" + dicom.patient.encode() * 50)
    return cases


def outcome(read, folder):
    """Return all that a caller gets to see: the result, or the error with its causes."""
    try:
        return repr(read(folder))
    except SpinexplainError as error:
        return "".join(traceback.format_exception(error))


def test_patients_never_reach_an_output(tmp_path, dicom, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    outputs = []
    for folder in broken_series(tmp_path, dicom).values():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for read in (read_dicom, list_series):
                outputs.append(outcome(read, folder))
        outputs += [str(item.message) for item in caught]
    outputs += [caplog.text, *capfd.readouterr()]
    assert len(outputs) > 20
    everything = "\n".join(outputs).upper()
    for part in ("DOE", "JANE"):
        assert part not in everything
