"""One label on several bones, half a bone, bones mixed, gaps: flagged; real masks: nothing."""

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.label_stats import label_stats
from spinexplain.spine.checks.pieces import _in_pieces, check_pieces, size_ratios
from spinexplain.spine.localize import level_boxes, vertebrae_from_mask
from spinexplain.types import LabelMap

T12, L1, L2 = VertebraLevel.T12, VertebraLevel.L1, VertebraLevel.L2


def stats_of(labels):
    stats = label_stats(labels)
    return {VertebraLevel.from_verse_label(k): one for k, one in stats.items()}


def flags(labels):
    vertebrae = {v.level: v for v in vertebrae_from_mask(labels)}
    return check_pieces(labels, level_boxes(labels), stats_of(labels), vertebrae)


@pytest.mark.parametrize("name", ["verse004", "example_mask", "example_bodies", "crop_mask"])
def test_real_masks_have_no_flag(name, request):
    assert flags(request.getfixturevalue(name)) == {}


def test_one_label_on_two_bones(drawn_scan):
    assert flags(drawn_scan.relabeled({"L1": "L2"}))[L2] >= {"several_bones"}


def test_two_bones_mixed(drawn_scan):
    """The lower half of T12 is labeled L1."""
    labels = drawn_scan.relabeled({})
    half = labels.array == T12.verse_label
    middle = int(np.median(np.argwhere(half)[:, 2]))
    half[:, :, middle:] = False
    labels.array[half] = L1.verse_label
    found = flags(labels)
    assert "odd_label_size" in found[T12]
    assert "odd_label_size" in found[L1] or "several_bones" in found[L1]


def test_half_a_bone(drawn_scan):
    labels = drawn_scan.relabeled({})
    bone = labels.array == L1.verse_label
    middle = int(np.median(np.argwhere(bone)[:, 0]))
    bone[middle:] = False
    labels.array[bone] = 0
    assert "odd_label_size" in flags(labels)[L1]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_gap_through_the_body(drawn_scan, axis):
    labels = drawn_scan.relabeled({})
    bone = labels.array == L1.verse_label
    center = np.linalg.inv(labels.affine) @ [*drawn_scan.centers[L1], 1]
    gap = np.zeros_like(bone)
    np.moveaxis(gap, axis, 0)[round(center[axis])] = True
    labels.array[bone & gap] = 0
    assert "label_in_pieces" in flags(labels)[L1]
    assert set(flags(labels)) == {L1}


def test_a_piece_elsewhere(drawn_scan):
    labels = drawn_scan.relabeled({})
    labels.array[4:14, 4:14, 20:30] = L1.verse_label
    assert "label_in_pieces" in flags(labels)[L1]


def test_crumbs_are_no_piece(drawn_scan):
    labels = drawn_scan.relabeled({})
    labels.array[4:7, 4:7, 20:23] = L1.verse_label
    assert flags(labels) == {}


def test_too_few_others_to_compare_with(drawn_scan):
    two = {level: one for level, one in stats_of(drawn_scan.labels).items() if level in (L1, L2)}
    assert size_ratios(two) == {}


def squeezed(labels, level, share):
    """The body and arch of one level lowered to this share; the levels above come down with it."""
    array, code = labels.array.copy(), level.verse_label
    bone, above = array == code, (array > 0) & (array < code)
    planes = np.flatnonzero(bone.any(axis=(0, 1)))
    low, lost = int(planes[0]), round((planes[-1] - planes[0]) * (1 - share))
    array[bone | above] = 0
    for k in planes:
        array[:, :, low + round((k - low) * share)][bone[:, :, k]] = code
    for k in np.flatnonzero(above.any(axis=(0, 1))):
        array[:, :, k - lost][above[:, :, k]] = labels.array[:, :, k][above[:, :, k]]
    return LabelMap(array, labels.affine)


def test_a_crushed_bone_is_whole(drawn_scan):
    labels = squeezed(drawn_scan.labels, L1, 0.45)
    assert "odd_label_size" not in flags(labels).get(L1, set())


def test_a_bone_cut_by_the_border_may_fall_into_parts_there(drawn_scan):
    """Only what the cut leaves apart: a part inside the mask still counts."""
    labels = drawn_scan.relabeled({})
    top = int(np.flatnonzero((labels.array > 0).any(axis=(0, 1)))[-1])
    array = labels.array[:, :, : top + 1].copy()
    upper = VertebraLevel("T11").verse_label
    middle = int(np.median(np.argwhere(array == upper)[:, 2]))
    array[:, :, middle][array[:, :, middle] == upper] = 0
    cut = LabelMap(array, labels.affine)
    assert "label_in_pieces" not in pieces_only(cut, "T11")
    inside = LabelMap(np.pad(array, ((0, 0), (0, 0), (0, 3))), labels.affine)
    assert "label_in_pieces" in pieces_only(inside, "T11")


def pieces_only(labels, name):
    level = VertebraLevel(name)
    return {"label_in_pieces"} if _in_pieces(labels, level, level_boxes(labels)[level]) else set()
