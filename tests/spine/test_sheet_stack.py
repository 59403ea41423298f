"""Parallel sheets: to the patient's left for positive offsets, and nothing else changes."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import SheetFrame, fit_curve
from spinexplain.spine.reformat import sample_patch
from spinexplain.spine.sheet_stack import sheets_beside
from spinexplain.types import Vertebra, Volume

LINE = fit_curve(np.array([[30.0, 60.0], [30.0, 0.0]]), np.array([0.0, -1.0]))
FRAME = SheetFrame(LINE, 30.0, 25.0, (21, 21), 1.0)


@pytest.fixture
def ramp():
    """A volume whose HU is 5 per mm towards the patient's right."""
    x = np.mgrid[:60, :60, :64][0].astype(np.float32)
    return Volume(5 * x, np.eye(4))


@pytest.fixture
def patch(ramp):
    center = FRAME.to_mm(np.array([10.0, 10.0]))
    return sample_patch(ramp, Vertebra(VertebraLevel("L1"), tuple(map(float, center))), FRAME)


def test_a_positive_offset_lies_to_the_patients_left(ramp, patch):
    right, middle, left = sheets_beside(ramp, patch, (-8.0, 0.0, 8.0))
    assert middle is patch
    np.testing.assert_allclose(left.array, patch.array - 40, atol=1e-2)  # x grows to the right
    np.testing.assert_allclose(right.array, patch.array + 40, atol=1e-2)


def test_vertebra_and_center_stay(ramp, patch):
    (left,) = sheets_beside(ramp, patch, (8.0,))
    assert left.vertebra is patch.vertebra
    at = left.frame.to_patch(np.array(patch.vertebra.centroid_mm))
    np.testing.assert_allclose(at, [10, 10, -8], atol=1e-6)
