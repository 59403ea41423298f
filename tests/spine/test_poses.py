"""Sheets at other poses: where they lie, and that nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import SheetFrame, fit_curve
from spinexplain.spine.poses import POSES, Pose, TiltedFrame, posed_patches
from spinexplain.spine.reformat import sample_patch
from spinexplain.types import Vertebra, Volume

LINE = fit_curve(np.array([[20.0, 60.0], [24.0, 0.0]]), np.array([0.0, -1.0]))
FRAME = SheetFrame(LINE, 30.0, 25.0, (21, 21), 1.0)


@pytest.fixture
def ramp():
    """A volume whose HU is 10 per mm towards anterior and 3 per mm towards cranial."""
    _, y, z = np.mgrid[:48, :60, :64].astype(float)
    return Volume((10 * y + 3 * z).astype(np.float32), np.eye(4))


@pytest.fixture
def patch(ramp):
    center = FRAME.to_mm(np.array([10.0, 10.0]))
    return sample_patch(ramp, Vertebra(VertebraLevel("L1"), tuple(map(float, center))), FRAME)


def test_a_shift_moves_the_picture_and_the_centroid_with_it(ramp, patch):
    pose = Pose(posterior_mm=3.0)
    moved = posed_patches(ramp, patch, [pose])[0]
    np.testing.assert_allclose(moved.array, patch.array - 30.0, atol=1e-2)
    at = moved.frame.to_patch(np.array(moved.vertebra.centroid_mm))
    np.testing.assert_allclose(at[:2], [10, 10], atol=1e-6)


def test_the_given_center_is_the_patch_itself(ramp, patch):
    assert posed_patches(ramp, patch)[0] is patch
    assert len(posed_patches(ramp, patch)) == len(POSES)


def test_a_tilt_turns_the_anterior_edge_down(ramp, patch):
    turned = posed_patches(ramp, patch, [Pose(tilt_deg=5.0)])[0]
    front = turned.frame.to_mm(np.array([10.0, 0.0]))
    back = turned.frame.to_mm(np.array([10.0, 20.0]))
    assert front[2] < back[2]
    assert np.degrees(np.arctan2(back[2] - front[2], front[1] - back[1])) == pytest.approx(
        5.0, abs=0.05
    )


@given(st.floats(-30, 30), st.floats(0, 20), st.floats(0, 20))
def test_a_tilted_frame_goes_both_ways(tilt, row, column):
    frame = TiltedFrame(FRAME, tilt)
    there = frame.to_patch(frame.to_mm(np.array([row, column])))
    np.testing.assert_allclose(there, [row, column, 0.0], atol=1e-5)
