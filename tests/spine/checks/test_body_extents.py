"""Bodies of which half is not labeled; fractured ones are not among them."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.body_extents import body_extents, partly_labeled
from spinexplain.spine.localize import vertebrae_from_mask

L1 = VertebraLevel.L1


def halved(scan, axis, keep_high):
    """Take half of L1's body away, seen from its true center; the arch stays."""
    labels = scan.relabeled({})
    bone = np.argwhere(labels.array == L1.verse_label)
    center = (np.linalg.inv(labels.affine) @ [*scan.centers[L1], 1])[:3]
    side = bone[:, axis] > center[axis] if not keep_high else bone[:, axis] < center[axis]
    body = bone[:, 1] >= center[1] - 9
    labels.array[tuple(bone[side & body].T)] = 0
    return labels


@pytest.mark.parametrize("name", ["verse004", "example_mask", "example_bodies", "crop_mask"])
def test_real_masks_are_whole(name, request):
    labels = request.getfixturevalue(name)
    assert partly_labeled(labels, vertebrae_from_mask(labels)) == set()


def test_the_drawn_bodies_have_their_sizes(drawn_scan):
    extents = body_extents(drawn_scan.labels, drawn_scan.vertebrae())
    one = extents[L1]
    assert one.width_mm == pytest.approx(44, abs=4)
    assert one.depth_mm == pytest.approx(32, abs=4)
    assert one.up_mm + one.down_mm == pytest.approx(24, abs=3)


@pytest.mark.parametrize(("axis", "keep_high"), [(0, True), (0, False), (1, False), (2, True)])
def test_half_a_body_is_found(drawn_scan, axis, keep_high):
    labels = halved(drawn_scan, axis, keep_high)
    assert L1 in partly_labeled(labels, vertebrae_from_mask(labels))


@pytest.mark.parametrize("heights", [(12, 14, 24), (24, 11, 24), (11, 11, 12)])
def test_fractured_bodies_are_whole(voxel_spine, bone, heights):
    usual = {"T11": 22, "T12": 23, "L1": 24, "L2": 25, "L3": 26}
    bones = {name: bone((height,) * 3) for name, height in usual.items()}
    bones["L1"] = bone(heights)
    labels, _ = voxel_spine(bones)
    assert partly_labeled(labels, vertebrae_from_mask(labels)) == set()
