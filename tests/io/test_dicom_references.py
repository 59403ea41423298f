"""What results must name of a CT: the right instance for each slice, or a refusal."""

import numpy as np
import pytest

from spinexplain.errors import FileFormatError, GeometryError
from spinexplain.io.dicom import read_dicom, read_references
from spinexplain.types import Volume

TAGS = {"FrameOfReferenceUID": "1.2.99", "StudyInstanceUID": "1.2.3"}


def _series(dicom, **tags):
    series = dicom.volume()
    series.tags = TAGS | tags
    return series


def test_slices_are_named_in_the_order_of_the_volume(tmp_path, dicom):
    folder = dicom.folder(tmp_path / "s", _series(dicom), np.random.default_rng(4))
    found = read_references(folder)
    assert [one.sop_instance_uid for one in found.slices] == [f"1.2.3.4.{k}" for k in range(1, 6)]
    assert {one.frame for one in found.slices} == {None}
    assert (found.study_uid, found.series_uid, found.frame_of_reference_uid) == (
        "1.2.3",
        "1.2.3.4",
        "1.2.99",
    )
    assert [h.SOPInstanceUID for h in found.headers] == [s.sop_instance_uid for s in found.slices]
    found.check_volume(read_dicom(folder))


def test_frames_are_numbered_as_the_file_orders_them(tmp_path, dicom):
    order = [2, 0, 4, 3, 1]
    dataset = dicom.enhanced(_series(dicom), order)
    dataset.FrameOfReferenceUID = "1.2.99"
    dicom.save(dataset, tmp_path / "frames")
    found = read_references(tmp_path)
    assert "PixelData" not in found.headers[0]
    assert [one.frame for one in found.slices] == [order.index(k) + 1 for k in range(5)]
    assert found.is_multiframe
    assert len(found.headers) == 1


def test_the_patient_is_never_printed(tmp_path, dicom):
    folder = dicom.folder(tmp_path / "s", _series(dicom))
    found = read_references(folder)
    assert str(found.headers[0].PatientName) == dicom.patient
    assert "DOE" not in repr(found)


def test_what_scanners_leave_empty_is_filled_in(tmp_path, dicom):
    series = _series(dicom)
    folder = tmp_path / "s"
    folder.mkdir()
    for k in range(5):
        dataset = dicom.slice(series, k)
        for keyword in ("AccessionNumber", "SliceThickness", "PatientID"):
            delattr(dataset, keyword)
        dicom.save(dataset, folder / f"{k}")
    header = read_references(folder).headers[0]
    assert header.AccessionNumber in (None, "")
    assert header.SliceThickness == pytest.approx(2.0)
    assert header.PatientID in (None, "")


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_that_does_not_say_who_it_is(tmp_path, dicom, keyword):
    series = _series(dicom, **{keyword: ""})
    folder = dicom.folder(tmp_path / "s", series)
    with pytest.raises(FileFormatError, match=f"names no {keyword}"):
        read_references(folder)


def test_slices_of_two_patients_are_refused_without_naming_them(tmp_path, dicom):
    series = _series(dicom)
    folder = tmp_path / "s"
    folder.mkdir()
    for k in range(5):
        dataset = dicom.slice(series, k)
        dataset.PatientName = ("DOE^JANE", "ROE^RICHARD")[k // 3]
        dicom.save(dataset, folder / f"{k}")
    with pytest.raises(FileFormatError, match="2 different values of PatientName") as caught:
        read_references(folder)
    assert "ROE" not in str(caught.value)


def test_missing_slices_are_refused(tmp_path, dicom):
    folder = dicom.folder(tmp_path / "s", _series(dicom), skip=(2,))
    with pytest.raises(GeometryError, match="slices are missing"):
        read_references(folder)


def test_another_volume_is_refused(tmp_path, dicom):
    folder = dicom.folder(tmp_path / "s", _series(dicom))
    volume = read_dicom(folder)
    moved = volume.affine.copy()
    moved[0, 3] += 1
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        read_references(folder).check_volume(Volume(volume.array, moved))


def test_slices_in_several_multiframe_files_are_refused(tmp_path, dicom):
    series = _series(dicom)
    for number, order in enumerate(([0, 1, 2], [3, 4])):
        dataset = dicom.enhanced(series, order)
        dataset.FrameOfReferenceUID = "1.2.99"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.9{number}"
        dicom.save(dataset, tmp_path / f"f{number}")
    with pytest.raises(FileFormatError, match="2 multi-frame files"):
        read_references(tmp_path)


MALFORMED = {
    "StudyDate": b"20261399",
    "StudyTime": b"25:00:xx",
    "PatientSex": b"unknown ",
    "PatientBirthDate": b"1950-01-02",
    "PatientAge": b"old ",
    "PatientWeight": b"seventy ",
    "SliceThickness": b"abc ",
}


@pytest.mark.parametrize("keyword", MALFORMED)
def test_values_that_dicom_does_not_allow_are_left_out(tmp_path, dicom, keyword):
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    series = _series(dicom, StudyDate="20260102", PatientSex="F")
    tag, value = Tag(tag_for_keyword(keyword)), MALFORMED[keyword]
    for k in range(5):
        dataset = dicom.slice(series, k)
        raw = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
        dataset._dict[tag] = raw
        dicom.save(dataset, tmp_path / f"{k}")
    header = read_references(tmp_path).headers[0]
    if keyword == "SliceThickness":
        assert header.SliceThickness == pytest.approx(2.0)
    else:
        assert not header.get(keyword)


def test_long_texts_are_kept_as_they_are(tmp_path, dicom):
    """An accession number that is longer than allowed still finds its study in the archive."""
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    series = _series(dicom)
    for k in range(5):
        dataset = dicom.slice(series, k)
        tag = Tag("AccessionNumber")
        dataset._dict[tag] = RawDataElement(tag, "SH", 40, b"A" * 40, 0, False, True)
        dicom.save(dataset, tmp_path / f"{k}")
    assert read_references(tmp_path).headers[0].AccessionNumber == "A" * 40


def test_names_in_other_scripts_come_as_unicode(tmp_path, dicom):
    series = _series(dicom)
    name = "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"
    for k in range(5):
        dataset = dicom.slice(series, k)
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        dataset.PatientName = name
        dicom.save(dataset, tmp_path / f"{k}")
    header = read_references(tmp_path).headers[0]
    assert str(header.PatientName) == name
    assert header.SpecificCharacterSet == "ISO_IR 192"
