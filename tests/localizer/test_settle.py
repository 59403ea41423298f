"""Blocks of bone in soft tissue, and a network that paints what is bright around the middle."""

from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer import settle as module
from spinexplain.localizer.refine import tangents
from spinexplain.localizer.settle import LEAST_MOVED_MM, MOST_MOVED_MM, settle
from spinexplain.models.localizing import as_densities
from spinexplain.spine.checks.placement import NOT_ON_BONE
from spinexplain.spine.quality import CENTER_OFF_BODY, OUTSIDE_SCAN
from spinexplain.types import Vertebra, Volume

LEVELS = [VertebraLevel.L1, VertebraLevel.L2, VertebraLevel.L3]
MIDDLES = {level: (60.0, 60.0, 132.0 - 36.0 * i) for i, level in enumerate(LEVELS)}
SIDES_MM = np.array([40.0, 30.0, 24.0])
OFF = np.array([2.0, -3.0, 4.0])


@pytest.fixture
def scan():
    hu = np.full((120, 120, 180), 40, np.int16)
    grid = np.moveaxis(np.indices(hu.shape), 0, -1)
    for middle in MIDDLES.values():
        hu[(np.abs(grid - np.array(middle)) <= SIDES_MM / 2).all(axis=-1)] = 400
    return Volume(hu, np.eye(4))


def bright(x):
    return np.where(x > as_densities(np.float32(220.0)), 8.0, -8.0).astype(np.float32)


def unsure(x):
    return np.clip(bright(x), -8.0, 1.0)


def spine(off_mm=OFF):
    return [Vertebra(k, tuple((np.array(at) + off_mm).tolist())) for k, at in MIDDLES.items()]


def places(vertebrae):
    return {one.level: one.centroid_mm for one in vertebrae}


def test_centers_come_to_the_middles_of_their_bodies_however_they_were_given(scan):
    for off in (OFF, -OFF, np.zeros(3)):
        settled = settle(scan, spine(off), bright)
        for level, at in places(settled.vertebrae).items():
            assert at == pytest.approx(MIDDLES[level], abs=0.7)
            moved_mm = settled.moved_mm.get(level, 0.0)
            assert moved_mm == pytest.approx(np.linalg.norm(off), abs=1.0)
        assert settled.unsettled == ()


def test_a_center_that_hardly_moves_is_not_listed_and_has_its_body(scan):
    middles = settle(scan, spine(), bright).vertebrae
    again = settle(scan, middles, bright)
    assert all(mm >= LEAST_MOVED_MM for mm in again.moved_mm.values())
    once_more = settle(scan, again.vertebrae, bright)
    assert once_more.moved_mm == {}
    assert once_more.unsettled == ()


def test_the_bodies_are_kept_for_the_heights(scan):
    bodies = settle(scan, spine(), bright).bodies
    assert bodies.labels.extents.keys() == {level.verse_label for level in LEVELS}
    assert bodies.doubts == {}


def test_a_center_stays_where_the_network_is_not_sure(scan):
    settled = settle(scan, spine(), unsure)
    assert settled.vertebrae == spine()
    assert settled.moved_mm == {}
    assert settled.unsettled == tuple(LEVELS)


def test_a_center_stays_where_the_middle_is_too_far_to_be_meant(scan):
    far = np.array([0.0, MOST_MOVED_MM + 1.5, 0.0])
    settled = settle(scan, spine(far), bright)
    assert places(settled.vertebrae) == places(spine(far))
    assert {one.flags for one in settled.vertebrae} == {(CENTER_OFF_BODY,)}
    assert settled.moved_mm == {}
    assert not settled.bodies.measurable().extents


def test_two_centers_in_one_body_stay_apart(scan):
    first, second, third = spine(np.zeros(3))
    near = replace(second, centroid_mm=(60.0, 60.0, 125.0))
    above = replace(first, centroid_mm=(60.0, 60.0, 138.0))
    settled = settle(scan, [above, near, third], bright)
    assert [one.flags for one in settled.vertebrae] == [*2 * [(CENTER_OFF_BODY,)], ()]
    at = places(settled.vertebrae)
    assert at[LEVELS[0]] == above.centroid_mm
    assert at[LEVELS[1]] == near.centroid_mm
    assert settled.bodies.measurable().extents.keys() == {LEVELS[2].verse_label}


def test_the_center_of_a_cut_body_moves_across_the_spine_alone(scan):
    cut = Volume(scan.array[:, :, :138], scan.affine)
    given = spine(np.array([0.0, 2.5, -3.75]))
    first, second, _ = places(settle(cut, given, bright).vertebrae).values()
    assert first == pytest.approx((60.0, 60.0, 128.25), abs=0.7)
    assert first[2] == pytest.approx(128.25, abs=0.1)
    assert second == pytest.approx((60.0, 60.0, 96.0), abs=0.7)


def test_centers_given_a_little_elsewhere_come_to_the_same_place_bit_for_bit(scan):
    rng = np.random.default_rng(0)
    found = [places(settle(scan, spine(rng.normal(0, 1.2, 3)), bright).vertebrae) for _ in range(4)]
    for level in LEVELS:
        assert len({one[level] for one in found}) == 1


def test_where_a_body_is_cut_above_and_in_front_its_center_moves_along_neither():
    """A spine tilted by 25 degrees, whose first body a corner of the scan cuts."""
    tilt = np.deg2rad(25.0)
    down = np.array([0.0, np.sin(tilt), -np.cos(tilt)])
    across = np.array([0.0, np.cos(tilt), np.sin(tilt)])
    hu = np.full((120, 120, 180), 40, np.int16)
    grid = np.moveaxis(np.indices(hu.shape), 0, -1)
    middles = [np.array([60.0, 45.0, 132.0]) + 36.0 * k * down for k in range(3)]
    for middle in middles:
        away = grid - middle
        sides = np.abs(np.stack([away[..., 0], away @ across, away @ down], axis=-1))
        hu[(sides <= SIDES_MM / 2).all(axis=-1)] = 400
    affine = np.eye(4)
    affine[1, 3] = 38.0
    corner = Volume(np.ascontiguousarray(hu[:, 38:, :138]), affine)
    given = [
        Vertebra(k, tuple((at + np.array([2.0, 0, 0])).tolist()))
        for k, at in zip(LEVELS, middles, strict=True)
    ]
    settled = settle(corner, given, bright)
    move = np.subtract(settled.vertebrae[0].centroid_mm, given[0].centroid_mm)
    assert move[0] == pytest.approx(-2.0, abs=0.7)
    assert move[1] == pytest.approx(0.0, abs=1e-6)
    along = tangents(np.array([one.centroid_mm for one in given]))[0]
    assert move @ along == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("far_side", [False, True])
def test_the_center_of_a_body_cut_at_its_side_does_not_move_towards_what_is_left(
    scan, axis, far_side
):
    """A third of each body is beyond the border; its center was given where it is."""
    cut = np.array([60.0, 60.0])[axis] - (-1 if far_side else 1) * SIDES_MM[axis] / 6
    kept = slice(None, int(cut)) if far_side else slice(int(cut), None)
    box = tuple(kept if k == axis else slice(None) for k in range(3))
    affine = np.eye(4)
    affine[axis, 3] = 0.0 if far_side else int(cut)
    part = Volume(np.ascontiguousarray(scan.array[box]), affine)
    off = np.where(np.arange(3) == axis, 0.0, (2.0, 2.0, 3.0))
    settled = settle(part, spine(off), bright)
    for level, at in places(settled.vertebrae).items():
        assert at == pytest.approx(MIDDLES[level], abs=0.7)
        assert level in settled.moved_mm


def test_a_body_that_only_comes_near_the_side_of_the_scan_is_settled(scan):
    near = Volume(np.ascontiguousarray(scan.array[37:]), _moved_by(37))
    for level, at in places(settle(near, spine(), bright).vertebrae).items():
        assert at == pytest.approx(MIDDLES[level], abs=0.7)


def _moved_by(x_mm):
    affine = np.eye(4)
    affine[0, 3] = x_mm
    return affine


def test_a_center_that_came_to_its_body_is_no_longer_said_to_be_off_it(scan):
    first, *others = spine()
    doubted = [replace(first, flags=(OUTSIDE_SCAN, NOT_ON_BONE, "off_curve")), *others]
    said = "^L1 moved into its body: no longer not_on_bone or outside_scan.$"
    with pytest.warns(ScanWarning, match=said):
        settled = settle(scan, doubted, bright)
    assert [one.flags for one in settled.vertebrae] == [("off_curve",), (), ()]


def test_a_flag_is_kept_where_the_new_place_earns_it(scan, monkeypatch):
    monkeypatch.setattr(module, "levels_off_bone", lambda *_: {LEVELS[1]})
    doubted = [replace(one, flags=(NOT_ON_BONE,)) for one in spine()]
    with pytest.warns(ScanWarning, match="^L1 moved into .* L3 moved into [^L]*$"):
        settled = settle(scan, doubted, bright)
    assert [one.flags for one in settled.vertebrae] == [(), (NOT_ON_BONE,), ()]


def test_a_center_from_outside_the_scan_is_judged_for_bone_when_it_moved_in(scan, monkeypatch):
    monkeypatch.setattr(module, "levels_off_bone", lambda *_: {LEVELS[1]})
    first, second, third = spine()
    said = "^L2 moved into its body: no longer outside_scan, but not_on_bone.$"
    with pytest.warns(ScanWarning, match=said):
        settled = settle(scan, [first, replace(second, flags=(OUTSIDE_SCAN,)), third], bright)
    assert [one.flags for one in settled.vertebrae] == [(), (NOT_ON_BONE,), ()]


def test_a_center_that_stays_is_still_said_to_be_off(scan):
    doubted = [replace(one, flags=(OUTSIDE_SCAN, NOT_ON_BONE)) for one in spine()]
    settled = settle(scan, doubted, unsure)
    assert {one.flags for one in settled.vertebrae} == {(OUTSIDE_SCAN, NOT_ON_BONE)}


def test_the_neck_is_left_as_it_is(scan):
    neck = [replace(one, level=VertebraLevel(f"C{5 + i}")) for i, one in enumerate(spine())]
    settled = settle(scan, neck, bright)
    assert settled.bodies is None
    assert settled.vertebrae == neck
