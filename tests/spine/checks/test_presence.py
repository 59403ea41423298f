"""Not in view, in view without a label, absent: three things."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.level_sizes import usual_step_mm
from spinexplain.spine.checks.presence import levels_between, missing_levels, person_scale
from spinexplain.types import Vertebra, Volume

GRADED = [v for v in VertebraLevel if v.is_graded and v.value not in ("T13", "L6")]


def column(names, scale=1.0, top_mm=0.0):
    levels = [VertebraLevel(name) for name in names]
    z, found = top_mm, []
    for i, level in enumerate(levels):
        z -= scale * usual_step_mm(levels[i - 1], level) if i else 0.0
        found.append(Vertebra(level, (0.0, 0.0, z)))
    return found


def scan(top_mm, bottom_mm):
    size = int((top_mm - bottom_mm) / 2)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-20, -20, bottom_mm]
    return Volume(np.zeros((20, 20, size), np.int16), affine)


def names(levels):
    return [level.value for level in levels]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 16), st.integers(2, 17), st.floats(0.8, 1.2))
def test_every_level_is_counted_once(start, count, scale):
    spine = column(names(GRADED[start : start + count]), scale)
    found = missing_levels(scan(400, -700), spine)
    listed = [*found.not_in_view, *found.unlabeled, *found.absent]
    assert len(listed) == len(set(listed))
    assert set(listed) | {v.level for v in spine} == set(GRADED)
    assert found.absent == ()


def test_beyond_the_ends_and_inside_without_a_label():
    spine = column(["T11", "T12", "L1", "L2"])
    tight = missing_levels(scan(25, spine[-1].centroid_mm[2] - 25), spine)
    assert tight.unlabeled == ()
    wide = missing_levels(scan(110, spine[-1].centroid_mm[2] - 25), spine)
    assert names(wide.unlabeled) == ["T8", "T9", "T10"]
    assert names(wide.not_in_view) == [*(f"T{i}" for i in range(1, 8)), "L3", "L4", "L5"]


def test_a_level_that_this_person_does_not_have():
    spine = column(["T9", "T10", "T11", "T12", "L1"])
    spine = [
        Vertebra(VertebraLevel.T11 if v.level is VertebraLevel.T12 else v.level, v.centroid_mm)
        for v in spine
        if v.level is not VertebraLevel.T11
    ]
    eleven = [
        spine[0],
        Vertebra(VertebraLevel.T10, (0, 0, -23)),
        *[
            Vertebra(level, (0, 0, z))
            for level, z in (
                (VertebraLevel.T11, -48),
                (VertebraLevel.L1, -77),
                (VertebraLevel.L2, -108),
            )
        ],
    ]
    found = missing_levels(scan(25, -140), eleven)
    assert names(found.absent) == ["T12"]
    assert found.unlabeled == ()


def test_a_level_left_out_of_the_mask():
    spine = [v for v in column(["T10", "T11", "T12", "L1"]) if v.level.value != "T11"]
    unlabeled, absent = levels_between(spine)
    assert (names(unlabeled), absent) == (["T11"], set())


def test_t13_in_place_of_t12_leaves_nothing_out():
    spine = column(["T10", "T11", "T12", "L1"])
    renamed = [
        Vertebra(VertebraLevel.T13, v.centroid_mm) if v.level.value == "T12" else v for v in spine
    ]
    assert levels_between(renamed) == (set(), set())


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.2])
def test_the_person_s_own_scale_is_found(scale):
    assert person_scale(column(["T10", "T11", "T12", "L1"], scale)) == pytest.approx(scale)
    assert person_scale(column(["L1"])) == 1.0
