import numpy as np
import pytest

from spinexplain.geometry import apply_affine
from spinexplain.spine.reformat import reformat
from spinexplain.spine.views import axial, coronal, parasagittal
from spinexplain.types import Volume


@pytest.fixture
def marked(kyphosis):
    """Metal 15 mm to the left, 25 mm in front and 12 mm above the middle body's center."""
    spine = kyphosis()
    array = spine.volume.array.copy()
    for side in ([-15, 0, 0], [0, 25, 0], [0, 0, 12]):
        ijk = apply_affine(
            np.linalg.inv(spine.volume.affine), np.array(spine.middle.centroid_mm) + side
        )
        low = np.rint(ijk).astype(int) - 2
        array[tuple(slice(i, i + 5) for i in low)] = 3000
    return spine, Volume(array, spine.volume.affine)


def metal(picture):
    """Mean (row, column) of the metal, from the middle of the picture."""
    found = np.argwhere(picture > 1500)
    assert len(found)
    return found - (np.array(picture.shape) - 1) / 2


def test_axial_shows_left_on_the_right_and_front_on_top(marked):
    spine, volume = marked
    patch = axial(volume, spine.vertebrae, spine.middle)
    assert patch.array.shape == (1, 112, 112)
    found = metal(patch.array[0])
    left = found[np.abs(found[:, 0]) < 6]
    front = found[np.abs(found[:, 1]) < 6]
    assert len(left) + len(front) == len(found)
    np.testing.assert_allclose(left[:, 1].mean(), 15, atol=1)  # viewer's right
    np.testing.assert_allclose(front[:, 0].mean(), -25, atol=1.5)  # top


def test_coronal_shows_left_on_the_right_and_head_on_top(marked):
    spine, volume = marked
    patch = coronal(volume, spine.vertebrae, spine.middle, (90, 80), 1.0)
    assert patch.array.shape == (90, 1, 80)
    found = metal(patch.array[:, 0])
    left = found[found[:, 1] > 6]
    above = found[found[:, 1] < 6]
    np.testing.assert_allclose(left[:, 1].mean(), 15, atol=1)
    np.testing.assert_allclose(above[:, 0].mean(), -12, atol=1.5)


def test_the_sheet_shows_front_on_the_left_and_head_on_top(marked):
    spine, volume = marked
    found = metal(reformat(volume, spine.vertebrae)[2].array)
    front = found[found[:, 1] < -15]
    above = found[found[:, 0] < -6]
    assert len(front) + len(above) == len(found)
    np.testing.assert_allclose(front[:, 1].mean(), -25, atol=1.5)
    np.testing.assert_allclose(above[:, 0].mean(), -12, atol=1.5)


def test_parasagittal_goes_to_the_patients_left(marked):
    spine, volume = marked
    left = parasagittal(volume, spine.vertebrae, spine.middle, 15.0)
    right = parasagittal(volume, spine.vertebrae, spine.middle, -15.0)
    np.testing.assert_allclose(metal(left.array).mean(axis=0), [0, 0], atol=2.5)
    assert right.array.max() < 1500
    middle = parasagittal(volume, spine.vertebrae, spine.middle, 0.0)
    np.testing.assert_array_equal(middle.array, reformat(volume, spine.vertebrae)[2].array)


def test_the_views_know_where_they_are(marked):
    spine, volume = marked
    for patch in (
        axial(volume, spine.vertebrae, spine.middle, (31, 31)),
        coronal(volume, spine.vertebrae, spine.middle, (31, 31)),
    ):
        middle = (np.array(patch.array.shape) - 1) / 2
        np.testing.assert_allclose(patch.frame.to_mm(middle), spine.middle.centroid_mm)
    shifted = parasagittal(volume, spine.vertebrae, spine.middle, 9.0, (31, 31))
    place = shifted.frame.to_mm(np.array([15.0, 15.0]))
    assert np.linalg.norm(place - spine.middle.centroid_mm) == pytest.approx(9.0, abs=0.01)
    assert place[0] < spine.middle.centroid_mm[0]
