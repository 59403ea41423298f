import base64
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spinexplain.ui.pictures import Album, upsample, wash_rgba, window_hu


def _pixels(picture):
    content = base64.b64decode(picture.uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_bone_window_ends_at_minus_500_and_1300():
    assert window_hu(np.array([-501.0, -500.0, 1300.0, 1301.0])).tolist() == [0, 0, 255, 255]


@given(st.lists(st.floats(-2000, 4000), min_size=2, max_size=20))
def test_more_hu_is_never_darker(values):
    gray = window_hu(np.sort(np.array(values)))
    assert np.all(np.diff(gray.astype(int)) >= 0)


def test_upsampling_keeps_a_ramp_in_place_and_adds_no_ringing():
    ramp = np.tile(np.arange(8.0), (6, 1))
    fine = upsample(ramp, 2)
    # sample 3 covers fine pixels 6 and 7: their middle is where it was
    np.testing.assert_allclose(fine[4, 6:8].mean(), 3.0, atol=0.01)
    step = np.zeros((8, 8))
    step[:, 4:] = 3000
    assert upsample(step, 3).min() >= 0
    assert upsample(step, 3).max() <= 3000


def test_a_picture_is_upright_and_unmirrored():
    array = np.full((4, 6), -1000.0)
    array[0, 5] = 2000.0
    pixels = _pixels(Album().add_ct(array, detail=1))
    assert np.argwhere(pixels == 255).tolist() == [[0, 5]]


def test_equal_pictures_are_held_once_and_keep_their_size_in_samples():
    album = Album()
    first = album.add_ct(np.zeros((4, 6)))
    second = album.add_ct(np.zeros((4, 6)))
    other = album.add_ct(np.ones((4, 6)) * 500)
    assert first is second
    assert list(album.pictures) == [first.id, other.id]
    assert (first.width, first.height) == (6, 4)
    assert _pixels(first).shape == (12, 18)


def test_no_evidence_is_transparent_and_the_top_is_opaque():
    rgba = wash_rgba(np.array([[0.0, 1.0, 2.0, 9.0]]), top=2.0)
    assert rgba[0, :, 3].tolist() == [0, 128, 255, 255]
    assert wash_rgba(np.zeros((2, 2)), top=0.0)[..., 3].max() == 0
