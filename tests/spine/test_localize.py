from __future__ import annotations

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError
from spinexplain.io.body_masks import body_mask
from spinexplain.spine.localize import (
    _Bone,
    level_boxes,
    localize,
    vertebrae_from_mask,
)
from spinexplain.types import LabelMap, Vertebra, Volume

L1, L2, L3, L5 = (VertebraLevel(name) for name in ("L1", "L2", "L3", "L5"))


def _apart_mm(vertebrae, centers):
    found = {vertebra.level: np.array(vertebra.centroid_mm) for vertebra in vertebrae}
    return {level: float(np.linalg.norm(found[level] - centers[level])) for level in centers}


def test_all_nine_of_verse004_lie_within_4_mm_of_the_published_centroids(
    verse004, verse004_centers
):
    apart = _apart_mm(vertebrae_from_mask(verse004), verse004_centers)
    assert len(apart) == 9
    assert max(apart.values()) < 4.0
    assert np.median(list(apart.values())) < 3.0


def test_published_centroids_lie_behind_the_middles_of_bodies(verse004, verse004_centers):
    """They are means; where they differ from the middle, it is to the back."""
    found = {one.level: np.array(one.centroid_mm) for one in vertebrae_from_mask(verse004)}
    off = np.array([verse004_centers[level] - found[level] for level in verse004_centers])
    behind = -off[:, 1]
    assert (behind > 0).all()
    assert np.abs(off[:, [0, 2]]).mean() < np.abs(behind).mean()


@pytest.mark.parametrize("behind_mm", [0.0, 3.0, 8.0])
def test_wherever_what_is_deep_lies_the_center_is_the_middle_of_the_body(behind_mm):
    array = np.zeros((70, 70, 60), np.uint8)
    array[20:52, 20:50, 20:44] = 24  # a body of 32 x 30 x 24 mm
    array[24:30, 8:20, 26:36] = array[42:48, 8:20, 26:36] = array[24:48, 2:8, 26:36] = 24  # arch
    labels = LabelMap(array, np.eye(4))
    bone = _Bone(labels, L5, level_boxes(labels)[L5])
    middle = np.array([35.5, 34.5, 31.5])
    start = middle - [0.0, behind_mm, 0.0]
    found = bone.middle(start, np.array([0.0, 0.0, -1.0]))
    np.testing.assert_allclose(found, middle, atol=0.7)


def test_centers_do_not_depend_on_the_axes_of_the_array(verse004, turned):
    before, after = (
        {v.level: v.centroid_mm for v in vertebrae_from_mask(mask)}
        for mask in (verse004, turned(verse004))
    )
    for level, center in before.items():
        np.testing.assert_allclose(after[level], center, atol=1e-6)


@pytest.mark.parametrize(
    ("spacing", "shear"),
    [((1, 1, 5), 0.0), ((1, 5, 1), 0.0), ((1.5, 1.5, 1.5), 0.3)],
    ids=["5 mm sagittal slices", "5 mm axial slices", "gantry tilt"],
)
def test_coarse_and_sheared_grids_keep_the_centers(
    verse004, verse004_centers, regrid, spacing, shear
):
    mask = regrid(verse004, spacing, shear=shear)
    assert max(_apart_mm(vertebrae_from_mask(mask), verse004_centers).values()) < 4.5


def test_the_body_map_is_where_the_centers_are_expected(example_mask, example_body_map):
    bodies = body_mask("m", example_body_map, "totalsegmentator")
    with_map = {v.level: np.array(v.centroid_mm) for v in vertebrae_from_mask(example_mask, bodies)}
    whole = [level for level in with_map if level.value.startswith("L")]
    apart = _apart_mm(vertebrae_from_mask(example_mask), {lv: with_map[lv] for lv in whole})
    assert len(apart) == 5
    assert max(apart.values()) < 3.0


def test_localize_takes_the_body_map_too(example_mask, example_body_map):
    bodies = body_mask("m", example_body_map, "totalsegmentator")
    found = localize(_scan_of(example_mask), example_mask, body=bodies)
    assert [v.centroid_mm for v in found] == [
        v.centroid_mm for v in vertebrae_from_mask(example_mask, bodies)
    ]


def test_a_cut_bone_is_flagged_and_blames_no_neighbor(example_mask):
    flags = {v.level.value: v.flags for v in vertebrae_from_mask(example_mask)}
    assert "T11" not in flags  # only its arch is in view, 37 mm off the curve
    assert flags["T12"] == ("touches_border",)
    assert all("off_curve" not in flags[name] for name in ("T12", "L1", "L2", "L3", "L4", "L5"))
    assert all(not flags[name] for name in ("L1", "L2", "L3", "L4", "L5"))


def test_the_crop_has_one_whole_vertebra(crop_mask, crop_subregions):
    bodies = body_mask("m", crop_subregions, "tptbox")
    found = vertebrae_from_mask(crop_mask)
    expected = {v.level: np.array(v.centroid_mm) for v in vertebrae_from_mask(crop_mask, bodies)}
    assert [v.flags for v in found] == [("touches_border",), (), ("touches_border",)]
    assert max(_apart_mm(found, expected).values()) < 3.0


def test_voxel_bones_on_a_kyphotic_column_are_found(voxel_spine, bone):
    bones = {f"T{i}": bone((20.0, 19.0, 21.0)) for i in range(5, 11)}
    mask, centers = voxel_spine(bones, spacing_mm=(2, 2, 2), kyphosis_deg=6)
    assert max(_apart_mm(vertebrae_from_mask(mask), centers).values()) < 2.5


def test_labels_that_are_no_vertebrae_are_named():
    array = np.zeros((4, 4, 4), np.int16)
    array[0, 0, 0], array[1, 1, 1], array[2, 2, 2] = 20, 50, 26
    with pytest.raises(LabelError, match=r"\[50\]"):
        level_boxes(LabelMap(array, np.eye(4)))
    array[1, 1, 1] = -3
    with pytest.raises(LabelError, match=r"\[-3\]"):
        level_boxes(LabelMap(array, np.eye(4)))


@pytest.mark.parametrize("only", [0, 26])
def test_a_mask_without_vertebrae_is_refused(only):
    with pytest.raises(LabelError, match="holds no vertebra"):
        level_boxes(LabelMap(np.full((3, 3, 3), only, np.uint8), np.eye(4)))


def test_levels_come_in_cranio_caudal_order_with_t13_before_l1():
    array = np.zeros((3, 3, 12), np.uint8)
    for place, label in enumerate((20, 28, 19, 7)):
        array[1, 1, 3 * place + 1] = label
    assert [lv.value for lv in level_boxes(LabelMap(array, np.eye(4)))] == [
        "C7",
        "T12",
        "T13",
        "L1",
    ]


def _scan_of(mask: LabelMap) -> Volume:
    return Volume(np.zeros(mask.array.shape, np.int16), mask.affine)


def test_neither_mask_nor_centroids_says_what_to_do(verse004):
    with pytest.raises(LabelError, match="--labels MASK or --centroids JSON"):
        localize(_scan_of(verse004))


def test_centroids_win_over_the_mask_and_missing_levels_come_from_it(verse004, verse004_centers):
    far = verse004_centers[L3] + [9.0, 0.0, 0.0]
    given = [Vertebra(L3, tuple(far)), Vertebra(L1, tuple(verse004_centers[L1]))]
    found = localize(_scan_of(verse004), verse004, given)
    assert " ".join(v.level.value for v in found) == "T9 T10 T11 T12 L1 L2 L3 L4 L5"
    by_level = {v.level: v for v in found}
    assert by_level[L3].centroid_mm == given[0].centroid_mm
    assert "center_off_body" in by_level[L3].flags
    assert by_level[L1].centroid_mm == vertebrae_from_mask(verse004)[4].centroid_mm
    assert by_level[L1].flags == ()
    assert np.linalg.norm(np.array(by_level[L2].centroid_mm) - verse004_centers[L2]) < 4


def test_a_centroid_outside_its_mask_is_flagged(verse004, verse004_centers):
    x, y, z = verse004_centers[L2]
    found = localize(_scan_of(verse004), verse004, [Vertebra(L2, (x, y + 30, z))])
    assert {v.level: v.flags for v in found}[L2] == ("center_off_body", "centroid_outside_mask")


def test_centroids_alone_are_put_in_order(verse004, verse004_centers):
    given = [Vertebra(level, tuple(verse004_centers[level])) for level in (L5, L1, L3)]
    assert [v.level for v in localize(_scan_of(verse004), centroids=given)] == [L1, L3, L5]


def test_a_level_given_twice_is_refused(verse004, verse004_centers):
    twice = [Vertebra(L1, tuple(verse004_centers[L1]))] * 2
    with pytest.raises(LabelError, match="name L1 more than once"):
        localize(_scan_of(verse004), centroids=twice)


def test_centers_outside_the_scan(verse004, verse004_centers):
    inside = Vertebra(L1, tuple(verse004_centers[L1]))
    outside = Vertebra(L5, (0.0, 0.0, 5000.0))
    found = localize(_scan_of(verse004), centroids=[inside, outside])
    assert [v.flags for v in found] == [(), ("outside_scan",)]
    with pytest.raises(LabelError, match="every one of the 1 centers lies outside"):
        localize(_scan_of(verse004), centroids=[outside])
