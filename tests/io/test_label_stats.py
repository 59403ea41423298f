"""Boxes, sizes and shells of labels, beside a slow count."""

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.io.label_stats import label_boxes, label_stats, shells
from spinexplain.types import LabelMap

AFFINE = np.array([[0, -2.0, 0, 7], [1.5, 0, 0, -3], [0, 0, 3.0, 11], [0, 0, 0, 1]])


@pytest.fixture
def mask():
    array = np.random.default_rng(0).choice([0, 0, 0, 4, 9], (12, 10, 8)).astype(np.uint8)
    array[[0, -1]] = array[:, [0, -1]] = array[:, :, [0, -1]] = 0
    return LabelMap(array, AFFINE)


def test_stats_agree_with_a_slow_count(mask):
    stats = label_stats(mask)
    assert list(stats) == [4, 9]
    for label, one in stats.items():
        ijk = np.argwhere(mask.array == label)
        center = ndimage.center_of_mass(mask.array == label)
        np.testing.assert_allclose(one.center_mm, (AFFINE @ [*center, 1])[:3])
        assert one.volume_mm3 == pytest.approx(9.0 * len(ijk))
        corners = np.array(np.meshgrid(*zip(ijk.min(0) - 0.5, ijk.max(0) + 0.5, strict=True)))
        mm = corners.reshape(3, -1).T @ AFFINE[:3, :3].T
        np.testing.assert_allclose(one.extent_mm, np.ptp(mm, axis=0))
        assert not one.at_border


def test_a_label_at_the_border_is_known(mask):
    mask.array[0, 5, 5] = 9
    assert {k: one.at_border for k, one in label_stats(mask).items()} == {4: False, 9: True}


def test_an_empty_mask_has_no_boxes():
    assert label_boxes(LabelMap(np.zeros((3, 3, 3), int), np.eye(4))) == {}


def ball(radius=14.0, side=40):
    x = np.indices((side, side, side)) - side / 2
    return np.linalg.norm(x, axis=0) <= radius


def test_a_skin_around_another_bone_is_a_shell():
    array = np.where(ball(), 24, 0)
    skin = ndimage.binary_dilation(ball()) & ~ball()
    array[skin] = 12
    mask = LabelMap(array, np.eye(4))
    assert shells(mask, label_boxes(mask)) == [12]


def test_what_is_thin_by_itself_is_no_shell():
    """Adrenal glands and slivers are thin too, but lie around nothing."""
    array = np.zeros((40, 40, 40), int)
    array[2:38, 2:38, 20] = 8
    array[ball(6.0)] = 24
    bowl = ball(18.0) & ~ball(17.0)
    array[bowl & (array == 0)] = 9
    mask = LabelMap(array, np.eye(4))
    assert shells(mask, label_boxes(mask)) == []
