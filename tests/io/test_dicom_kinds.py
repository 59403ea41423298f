"""Maps and projections are no scans; values that were computed are named."""

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom import list_series, read_dicom
from spinexplain.io.dicom_kinds import computed_values, is_scout, no_scan
from spinexplain.io.scan_flags import ScanWarning


@pytest.mark.parametrize("kind", ["MAT_SPECIFIC", "ELECTRON_DENSITY", "MIP"])
def test_a_map_beside_a_scan_is_not_taken_for_it(tmp_path, dicom, kind):
    series = dicom.volume()
    dicom.folder(tmp_path / "scan", series)
    series.uid, series.number = "1.2.3.5", 3
    series.tags = {"ImageType": ["DERIVED", "PRIMARY", "AXIAL", kind]}
    dicom.folder(tmp_path / "map", series)
    read_dicom(tmp_path)
    assert f"Image Type {kind}" in list_series(tmp_path)[1].problem
    with pytest.raises(FileFormatError, match=f"Image Type {kind}.*, expected HU"):
        read_dicom(tmp_path / "map")


def test_values_of_one_energy_are_flagged(tmp_path, dicom):
    series = dicom.volume()
    series.tags = {"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "VMI"]}
    with pytest.warns(ScanWarning, match="computed for X-rays of one energy"):
        volume = read_dicom(dicom.folder(tmp_path, series))
    assert volume.flags == ("computed_values",)


def test_image_types_as_files_hold_them():
    assert is_scout("LOCALIZER")
    assert no_scan(["derived ", "mip"]).startswith("a projection")
    assert no_scan(None) == computed_values(None) == ""
