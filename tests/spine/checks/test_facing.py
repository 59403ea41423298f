"""The arch tells front from back, the row of levels head from side."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError
from spinexplain.io.label_stats import label_stats
from spinexplain.spine.checks.facing import check_facing
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.types import LabelMap


def centers_of(labels):
    stats = label_stats(labels)
    return {VertebraLevel.from_verse_label(k): one.center_mm for k, one in stats.items()}


def check(labels):
    check_facing(vertebrae_from_mask(labels), centers_of(labels))


@pytest.mark.parametrize("name", ["verse004", "example_mask", "example_bodies", "crop_mask"])
def test_real_masks_face_forward(name, request):
    check(request.getfixturevalue(name))


@pytest.mark.parametrize("name", ["verse004", "crop_mask"])
def test_front_and_back_exchanged(name, request):
    mask = request.getfixturevalue(name)
    turned = LabelMap(mask.array, np.diag([1.0, -1, 1, 1]) @ mask.affine)
    with pytest.raises(GeometryError, match="mm in front of the bodies"):
        check(turned)


def test_left_and_back_exchanged(verse004):
    swap = np.eye(4)[[1, 0, 2, 3]]
    with pytest.raises(GeometryError, match="mm beside the bodies"):
        check(LabelMap(verse004.array, swap @ verse004.affine))


def test_head_and_back_exchanged(verse004):
    swap = np.eye(4)[[0, 2, 1, 3]]
    with pytest.raises(GeometryError, match="the levels lie side by side"):
        check(LabelMap(verse004.array, swap @ verse004.affine))


def test_whether_the_bones_have_arches(verse004, example_bodies):
    assert check_facing(vertebrae_from_mask(verse004), centers_of(verse004))
    assert not check_facing(vertebrae_from_mask(example_bodies), centers_of(example_bodies))
    assert not check_facing([], {})
