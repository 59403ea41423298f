from pathlib import Path

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.jobs.series import series_of

SLICES = Path(__file__).parent.parent / "data" / "dcmqi-ct-3slice"


def test_one_series_of_three_slices():
    (info,) = series_of(SLICES)
    assert "CT, 3 slices" in str(info)


def test_a_folder_without_dicom_and_none_at_all(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileFormatError, match=path.name):
            series_of(path)
