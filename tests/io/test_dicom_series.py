"""Which files make a series, and which series is meant."""

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom import list_series, read_dicom
from spinexplain.io.dicom_series import choose_series, group_series


def put(dicom, folder, series, edit=None, only=range(5), prefix="I"):
    for k in only:
        dataset = dicom.slice(series, k)
        if edit:
            edit(dataset)
        dicom.save(dataset, folder / f"{prefix}{k}")


def test_localizers_in_the_same_series_stand_apart(tmp_path, dicom):
    series = dicom.volume()
    put(dicom, tmp_path, series)

    def scout(dataset):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    put(dicom, tmp_path, series, scout, only=[0, 1], prefix="scout")
    assert read_dicom(tmp_path).array.shape == (7, 6, 5)
    volume, localizer = list_series(tmp_path)
    assert (volume.key, volume.slices, volume.readable) == ("2.1", 5, True)
    assert (localizer.key, localizer.slices, localizer.localizer) == ("2.2", 2, True)
    with pytest.raises(FileFormatError, match="localizer"):
        read_dicom(tmp_path, "2.2")
    assert read_dicom(tmp_path, "2").array.shape == (7, 6, 5)


def test_one_view_across_the_others_is_a_scout_whatever_it_says(tmp_path, dicom):
    series = dicom.volume()
    put(dicom, tmp_path, series)

    def across(dataset):
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    put(dicom, tmp_path, series, across, only=[3], prefix="x")
    assert read_dicom(tmp_path).array.shape == (7, 6, 5)


def test_small_differences_of_orientation_stay_together(tmp_path, dicom):
    series = dicom.volume()
    put(dicom, tmp_path, series, only=[0, 1, 2])

    def jitter(dataset):
        dataset.ImageOrientationPatient = [1, 1e-4, 0, -1e-4, 1, 0]

    put(dicom, tmp_path, series, jitter, only=[3, 4])
    assert len(list_series(tmp_path)) == 1


def test_a_stray_slice_of_another_size_is_reported_and_not_lost(tmp_path, dicom):
    put(dicom, tmp_path, dicom.volume(), only=range(4))
    other = dicom.volume((7, 9, 5))
    put(dicom, tmp_path, other, only=[4])
    with pytest.raises(FileFormatError, match=r"differ in size: 4 of 6 x 7 .* 1 of 9 x 7"):
        read_dicom(tmp_path)


def test_two_reconstructions_under_one_uid_fall_into_parts(tmp_path, dicom):
    put(dicom, tmp_path, dicom.volume())
    put(dicom, tmp_path, dicom.volume((7, 9, 6)), only=range(6), prefix="J")
    assert [(i.key, i.rows) for i in list_series(tmp_path)] == [("2.1", 9), ("2.2", 6)]
    assert read_dicom(tmp_path, "2.2").array.shape == (7, 6, 5)
    with pytest.raises(FileFormatError, match="2 series fit --series '2'"):
        read_dicom(tmp_path, "2")


def test_one_damaged_slice_spoils_its_series_only(tmp_path, dicom):
    put(dicom, tmp_path, dicom.volume())
    dataset = dicom.slice(dicom.volume(), 4)
    del dataset.ImagePositionPatient
    dicom.save(dataset, tmp_path / "I4")
    with pytest.raises(FileFormatError, match="its file I4 has no usable image position"):
        read_dicom(tmp_path)
    other = dicom.volume()
    other.uid, other.number = "1.2.3.9", 9
    put(dicom, tmp_path, other, prefix="K")
    assert read_dicom(tmp_path).array.shape == (7, 6, 5)


@pytest.mark.parametrize(
    ("uid", "modality", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "SR", "Comprehensive SR Storage: modality SR"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "SEG", "Segmentation Storage: modality SEG"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "PR", "Presentation State Storage: modality PR"),
        ("1.2.840.10008.5.1.4.1.1.4", "MR", "MR Image Storage: modality MR, expected CT"),
    ],
)
def test_other_objects_are_named(tmp_path, dicom, uid, modality, name):
    def other(dataset):
        dataset.SOPClassUID = uid
        dataset.file_meta.MediaStorageSOPClassUID = uid
        dataset.Modality = modality

    put(dicom, tmp_path, dicom.volume(), other)
    with pytest.raises(FileFormatError, match=name):
        read_dicom(tmp_path)
    with pytest.raises(FileFormatError, match=f"series 2 cannot be read .*{modality}"):
        read_dicom(tmp_path, "2")
    volume = dicom.volume()
    volume.uid, volume.number = "1.2.3.9", 9
    put(dicom, tmp_path, volume, prefix="ct")
    assert read_dicom(tmp_path).array.shape == (7, 6, 5)


def test_a_single_slice_is_no_volume(tmp_path, dicom):
    put(dicom, tmp_path, dicom.volume(), only=[2])
    with pytest.raises(FileFormatError, match="single slice"):
        read_dicom(tmp_path)


def put_singles(dicom, folder, count):
    for number in range(count):
        series = dicom.volume()
        series.uid, series.number = f"1.2.9.{number}", 20 + number
        put(dicom, folder, series, only=[number], prefix=f"single{number}-")


def test_slices_with_a_series_each_are_named(tmp_path, dicom):
    put_singles(dicom, tmp_path, 4)
    with pytest.raises(FileFormatError, match="holds 4 series of a single slice"):
        read_dicom(tmp_path)


def test_single_slices_beside_two_volumes_leave_the_choice_between_these(tmp_path, dicom):
    put_singles(dicom, tmp_path, 3)
    for number in (1, 2):
        series = dicom.volume()
        series.uid, series.number = f"1.2.3.{number}", number
        put(dicom, tmp_path, series, prefix=f"s{number}-")
    with pytest.raises(FileFormatError, match=r"holds 2 CT volumes.*--series"):
        read_dicom(tmp_path)


def test_long_lists_are_cut(tmp_path, dicom):
    for number in range(14):
        series = dicom.volume()
        series.uid, series.number = f"1.2.3.{number}", number
        put(dicom, tmp_path, series, only=[0, 1], prefix=f"s{number}-")
    with pytest.raises(FileFormatError, match=r"holds 14 CT volumes.*and 2 more"):
        read_dicom(tmp_path)
    assert [info.key for info in list_series(tmp_path)] == [str(n) for n in range(14)]


def test_nothing_to_choose_from():
    assert group_series([]) == []
    with pytest.raises(FileFormatError, match="holds no DICOM files"):
        choose_series("folder", [], None)
