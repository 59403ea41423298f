import numpy as np
import pytest

from spinexplain.analysis.stored_frame import EXTENT_MM, StoredFrame


def test_every_point_is_the_stored_centroid():
    frame = StoredFrame((60.0, 50.0))
    assert frame.shape == (EXTENT_MM, EXTENT_MM)
    assert frame.to_patch(np.array([1.0, 2.0, 3.0])).tolist() == [60.0, 50.0, 0.0]


def test_a_place_in_the_patient_is_refused():
    with pytest.raises(AssertionError, match="no place"):
        StoredFrame((60.0, 50.0)).to_mm(np.zeros(2))
