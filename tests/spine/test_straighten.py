import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.spine.reformat import reformat
from spinexplain.spine.straighten import straightened_frame


@given(st.floats(0, 39), st.floats(5, 34), st.floats(0, 29))
@settings(max_examples=30, deadline=None)
def test_index_and_millimeters_are_inverse(kyphosis, along, back, left):
    spine = kyphosis()
    frame = straightened_frame(spine.vertebrae, spine.middle, (40, 40, 30), 1.2)
    index = np.array([along, back, left])
    np.testing.assert_allclose(frame.to_patch(frame.to_mm(index)), index, atol=0.05)


def test_the_body_is_in_the_middle(kyphosis):
    spine = kyphosis()
    frame = straightened_frame(spine.vertebrae, spine.middle, (41, 41, 31))
    np.testing.assert_allclose(frame.to_mm([20, 20, 15]), spine.middle.centroid_mm, atol=0.01)


def test_it_hides_a_wedge_which_is_why_it_is_only_an_option(kyphosis, wedge_loss):
    spine = kyphosis(loss=0.3)
    patch = reformat(spine.volume, spine.vertebrae, "3d-straightened", (64, 64, 4))[2]
    assert wedge_loss(patch.array.mean(axis=2)) == pytest.approx(0.12, abs=0.03)
