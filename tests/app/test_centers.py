import numpy as np
import pytest

from fixtures.scans import THORACIC
from spinexplain.app.centers import bounds_mm, opened, sagittal_frame, unpack
from spinexplain.types import Volume


def test_unpacked_voxels_are_those_of_the_scan(tmp_path):
    from spinexplain.io.nifti import read_volume

    unpack(THORACIC / "thoracic_ct.nii.gz", tmp_path / "slices")
    volume = read_volume(THORACIC / "thoracic_ct.nii.gz")
    stored = opened(tmp_path / "slices")
    assert np.array_equal(stored.array, volume.array)
    assert np.array_equal(stored.affine, volume.affine)


def test_a_slice_covers_the_scan_in_the_patients_axes():
    volume = Volume(np.zeros((10, 20, 30), np.int16), np.diag([-2.0, -2, 2, 1]))
    low, high = bounds_mm(volume)
    assert low.tolist() == [-18, -38, 0]
    frame = sagittal_frame(volume, -4.0)
    assert frame.shape == (59, 39, 1)
    assert frame.to_mm(np.zeros(3)) == pytest.approx([-4, high[1], high[2]])
