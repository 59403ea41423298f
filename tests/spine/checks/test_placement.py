"""Masks and centers that lie beside the bones are refused or said, with both numbers."""

import warnings

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.spine.checks.contrast import CenterContrast, Contrast
from spinexplain.spine.checks.placement import (
    _is_fatty_marrow,
    check_arches_seen,
    check_centers_placed,
    check_mask_placed,
    levels_off_bone,
)
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import level_boxes
from spinexplain.types import LabelMap, Vertebra, Volume


def check(scan, labels):
    matched = match_grid(labels, scan.volume)
    return check_mask_placed(scan.volume, labels, matched, level_boxes(matched))


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScanWarning)
        yield


def test_a_mask_on_its_bones_passes_in_silence(drawn_scan):
    assert check(drawn_scan, drawn_scan.labels) == set()


def test_the_same_mask_in_another_order_of_axes_passes(drawn_scan):
    """Same matrix, unequal affines, one place: nothing is wrong."""
    labels = drawn_scan.labels
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    flip[:2, 3] = np.array(labels.array.shape[:2]) - 1
    assert check(drawn_scan, LabelMap(labels.array[::-1, ::-1], labels.affine @ flip)) == set()


@pytest.mark.parametrize(
    "change",
    [
        lambda a: np.eye(4),
        lambda a: a * [[1, 1, 1, 0]] * 3 + np.eye(4, k=3) * 0,
        lambda a: a @ np.diag([1, 1, 0.9, 1]),
        lambda a: a + np.array([[0, 0, 0, 0], [0, 0, 0, -9], [0, 0, 0, 12], [0, 0, 0, 0]]),
    ],
    ids=["identity", "no origin", "other slice step", "other origin"],
)
def test_one_matrix_with_two_affines_is_refused_with_both_numbers(drawn_scan, change):
    affine = change(drawn_scan.labels.affine)
    affine[3] = [0, 0, 0, 1]
    with pytest.raises(GeometryError, match=r"do not overlap|different grids, .*voxel by voxel: "):
        check(drawn_scan, LabelMap(drawn_scan.labels.array, affine))


def test_another_scan_of_one_matrix_is_told_by_its_bones(drawn_scan):
    """Two reconstructions of 512 x 512 x 300 voxels may well lie in two places."""
    rolled = LabelMap(
        np.roll(drawn_scan.labels.array, (-8, -5, 6), (0, 1, 2)),
        drawn_scan.labels.affine
        @ np.array([[1, 0, 0, 8], [0, 1, 0, 5], [0, 0, 1, -6], [0, 0, 0, 1]]),
    )
    assert check(drawn_scan, rolled) == set()


def test_a_crop_with_a_lost_origin_is_refused(drawn_scan):
    moved = drawn_scan.moved(40, 10, 0)
    crop = LabelMap(
        moved.array[2:-2],
        moved.affine @ np.array([[1, 0, 0, 2], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    )
    with pytest.raises(
        GeometryError, match=r"do not lie on bone: median \d+ HU inside against \d+"
    ):
        check(drawn_scan, crop)


def test_one_displaced_label_is_flagged_alone(drawn_scan):
    array = drawn_scan.labels.array.copy()
    l2 = array == VertebraLevel.L2.verse_label
    array[l2] = 0
    array[np.roll(l2, 22, 0) & (array == 0)] = VertebraLevel.L2.verse_label
    assert check(drawn_scan, LabelMap(array, drawn_scan.labels.affine)) == {VertebraLevel.L2}


def test_a_scan_of_one_value_says_nothing(drawn_scan):
    volume = Volume(np.zeros(drawn_scan.labels.array.shape, np.int16), drawn_scan.labels.affine)
    labels = drawn_scan.labels
    assert check_mask_placed(volume, labels, labels, level_boxes(labels)) == set()


def test_centers_on_their_bones_pass_in_silence(drawn_scan):
    assert check_centers_placed(drawn_scan.volume, drawn_scan.vertebrae()) == set()


@pytest.mark.parametrize("shift", [(45, 0, 0), (-45, 10, 0), (0, -75, 0)])
def test_centers_beside_the_spine_are_refused(drawn_scan, shift):
    with pytest.raises(LabelError, match=r"6 of 6 centers .* HU inside against .*convention"):
        check_centers_placed(drawn_scan.volume, drawn_scan.vertebrae(shift))


def test_one_center_beside_the_spine_is_warned_of(drawn_scan):
    good, off = drawn_scan.vertebrae(), drawn_scan.vertebrae((45, 0, 0))
    with pytest.warns(ScanWarning, match=r"1 of 6 centers \(L1\)"):
        found = check_centers_placed(drawn_scan.volume, [*good[:2], off[2], *good[3:]])
    assert found == {VertebraLevel.L1}


def test_levels_off_bone_are_named_in_silence(drawn_scan):
    good, off = drawn_scan.vertebrae(), drawn_scan.vertebrae((45, 0, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert levels_off_bone(drawn_scan.volume, good) == set()
        one = levels_off_bone(drawn_scan.volume, [*good[:2], off[2], *good[3:]])
        assert one == {VertebraLevel.L1}
        assert levels_off_bone(drawn_scan.volume, off) == {v.level for v in off}


def test_a_scan_with_front_and_back_exchanged_is_refused(drawn_scan):
    volume = Volume(drawn_scan.volume.array[:, ::-1], drawn_scan.volume.affine)
    last = drawn_scan.labels.array.shape[1] - 1
    middle = 2 * drawn_scan.labels.affine[1, 3] + 2.0 * last
    flipped = [
        type(v)(v.level, (v.centroid_mm[0], middle - v.centroid_mm[1], v.centroid_mm[2]))
        for v in drawn_scan.vertebrae()
    ]
    with pytest.raises(LabelError, match="Front and back are exchanged"):
        check_centers_placed(volume, flipped)


def test_marrow_of_fat_is_no_soft_tissue(fatty_scan):
    """Osteoporotic bodies are darker than muscle; cortex, endplates and arch are not."""
    assert check(fatty_scan, fatty_scan.labels) == set()
    assert check_centers_placed(fatty_scan.volume, fatty_scan.vertebrae()) == set()
    for shift in ((45, 0, 0), (-45, 10, 0), (0, -75, 0)):
        with pytest.raises(LabelError, match="6 of 6 centers"):
            check_centers_placed(fatty_scan.volume, fatty_scan.vertebrae(shift))


def test_bodies_with_walls_and_endplates_need_no_dense_arch(fatty_scan):
    """Arches of thin bone are not dense; the cortex still stands out all around the marrow."""
    centers = fatty_scan.vertebrae()
    behind = np.mean([center.centroid_mm[1] for center in centers]) - 20
    rows = np.arange(fatty_scan.volume.array.shape[1])
    hu = fatty_scan.volume.array.copy()
    y = fatty_scan.volume.affine[1, 1] * rows + fatty_scan.volume.affine[1, 3]
    hu[:, y < behind] = np.minimum(hu[:, y < behind], 170)
    thin = Volume(hu, fatty_scan.volume.affine)
    assert check_centers_placed(thin, centers) == set()
    for shift in ((45, 0, 0), (-45, 10, 0), (0, -75, 0), (25, 0, 0)):
        with pytest.raises(LabelError, match="6 of 6 centers"):
            check_centers_placed(thin, fatty_scan.vertebrae(shift))


def test_a_center_whose_endplates_are_not_in_the_scan_is_no_body():
    body = Contrast(50.0, 60.0, 0.5)
    assert not _is_fatty_marrow(CenterContrast(body, behind=0.1, before=0.0), dark=True)
    known = CenterContrast(body, behind=0.1, before=0.0, endplates_hu=90.0)
    assert _is_fatty_marrow(known, dark=False)


def test_one_center_off_is_found_among_marrow_of_fat(fatty_scan):
    good, off = fatty_scan.vertebrae(), fatty_scan.vertebrae((45, 0, 0))
    with pytest.warns(ScanWarning, match=r"1 of 6 centers \(L1\)"):
        found = check_centers_placed(fatty_scan.volume, [*good[:2], off[2], *good[3:]])
    assert found == {VertebraLevel.L1}


@pytest.mark.parametrize("voxels", [(10, 0, 0), (0, 10, 0)])
def test_a_mask_beside_marrow_of_fat_is_refused(fatty_scan, voxels):
    rolled = np.roll(fatty_scan.labels.array, voxels, (0, 1, 2))
    moved = LabelMap(rolled, fatty_scan.labels.affine)
    with pytest.raises(GeometryError, match="do not lie on bone"):
        check(fatty_scan, moved)


def turned(scan, matrix):
    """The scan with other axes in its header, and its centers with it."""
    affine = np.asarray(matrix, float) @ scan.volume.affine
    moved = [
        Vertebra(v.level, tuple((np.asarray(matrix) @ [*v.centroid_mm, 1.0])[:3].tolist()))
        for v in scan.vertebrae()
    ]
    return Volume(scan.volume.array, affine), moved


FRONT_FOR_BACK, SIDE_FOR_BACK = np.diag([1.0, -1, 1, 1]), np.eye(4)[[1, 0, 2, 3]]


@pytest.mark.parametrize(
    ("matrix", "said"), [(FRONT_FOR_BACK, "in front of"), (SIDE_FOR_BACK, "beside")]
)
def test_arches_in_the_scan_speak_where_the_mask_has_none(drawn_scan, matrix, said):
    check_arches_seen(drawn_scan.volume, drawn_scan.vertebrae())
    with pytest.raises(LabelError, match=rf"dense bone lies {said} every center \(\d+% of"):
        check_arches_seen(*turned(drawn_scan, matrix))


def test_thin_bone_does_not_say_where_its_arches_are(drawn_scan):
    volume, centers = turned(drawn_scan, FRONT_FOR_BACK)
    thin = Volume(np.where(volume.array > 120, 70, volume.array).astype(np.int16), volume.affine)
    check_arches_seen(thin, centers)
