import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError, ShapeError
from spinexplain.localizer.located import (
    LANDMARKS,
    SACRUM,
    Localization,
    LocatedCenter,
    Naming,
)
from spinexplain.spine.quality import TOUCHES_BORDER

ORDER = list(VertebraLevel)


def levels(*names):
    return tuple(None if name is None else VertebraLevel(name) for name in names)


def centers(count, cut=()):
    return tuple(
        LocatedCenter((1.0, 2.0, -30.0 * i), found=0.9, cut=i in cut) for i in range(count)
    )


def located(*namings, landmarks=(SACRUM,), cut=()):
    count = len(namings[0][0])
    return Localization(
        centers(count, cut),
        tuple(Naming(levels(*names), probability) for names, probability in namings),
        landmarks,
    )


def test_the_best_naming_becomes_vertebrae_and_a_cut_body_says_so():
    found = located((("L4", "L5", None), 0.6), (("L3", "L4", "L5"), 0.4), cut=(0,))
    first, second = found.vertebrae()
    assert (first.level, first.centroid_mm) == (VertebraLevel.L4, (1.0, 2.0, 0.0))
    assert first.flags == (TOUCHES_BORDER,)
    assert (second.level, second.flags) == (VertebraLevel.L5, ())
    assert [one.level.value for one in found.vertebrae(naming=1)] == ["L3", "L4", "L5"]


def test_names_are_certain_only_where_a_person_said_so():
    found = located((("L4", "L5"), 1.0))
    assert found.anchored
    assert not found.certain
    assert not located((("L4", "L5"), 1.0), landmarks=("aorta",)).anchored
    assert found.with_first_level(VertebraLevel.L4).certain


def test_a_person_who_names_the_first_level_is_believed():
    found = located((("T11", "T12"), 0.6), (("T12", "L1"), 0.4), landmarks=())
    mended = found.with_first_level(VertebraLevel.T9)
    assert [one.level.value for one in mended.vertebrae()] == ["T9", "T10"]
    assert mended.certain
    assert mended.centers == found.centers


def test_a_hypothesis_that_begins_so_brings_its_own_transitional_levels():
    found = located((("T11", "T12", "L1"), 0.6), (("T12", "T13", "L1"), 0.4))
    mended = found.with_first_level(VertebraLevel.T12)
    assert mended.namings == (Naming(levels("T12", "T13", "L1"), 1.0),)


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ("T12", ["T12", "L1", "L2"]),
        ("T13", ["T13", "L1", "L2"]),
        ("C7", ["C7", "T1", "T2"]),
        ("L4", ["L4", "L5"]),
        ("L6", ["L6"]),
    ],
)
def test_levels_follow_in_regular_order_from_the_named_one(first, names):
    found = located((("T3", "T4", "T5"), 0.9))
    mended = found.with_first_level(VertebraLevel(first))
    assert [one.level.value for one in mended.vertebrae()] == names


def test_a_center_above_the_named_ones_stays_without_a_name():
    found = located(((None, "T1", "T2"), 0.6), (("T1", "T2", "T3"), 0.4))
    assert found.with_first_level(VertebraLevel.T2).namings[0].levels == levels("T1", "T2", "T3")
    assert found.with_first_level(VertebraLevel.T4).namings[0].levels == levels(None, "T4", "T5")


@given(first=st.sampled_from(ORDER), count=st.integers(1, 24))
def test_any_first_level_gives_a_naming_from_head_to_foot(first, count):
    found = Localization(
        centers(count), (Naming((VertebraLevel.C1, *[None] * (count - 1)), 0.5),), LANDMARKS
    )
    naming = found.with_first_level(first).namings[0]
    assert naming.first is first
    assert len(naming.levels) == count


def test_a_refused_scan_has_no_vertebrae_and_says_why():
    refused = Localization(refused="it shows no spine")
    assert not refused.certain
    with pytest.raises(LabelError, match="it shows no spine"):
        refused.vertebrae()
    with pytest.raises(ConfigError, match="it shows no spine"):
        refused.with_first_level(VertebraLevel.L1)


@pytest.mark.parametrize("names", [(), (None,), ("L2", "L1"), ("L1", None, "L1")])
def test_levels_that_do_not_run_from_head_to_foot_are_no_naming(names):
    with pytest.raises(LabelError, match="head to foot"):
        Naming(levels(*names), 0.5)


def test_namings_must_fit_the_centers_and_one_another():
    two = Naming(levels("L1", "L2"), 0.4)
    with pytest.raises(ShapeError, match="2 levels for 3 centers"):
        Localization(centers(3), (two,))
    with pytest.raises(ShapeError, match="expected them to fall"):
        Localization(centers(2), (two, Naming(levels("L2", "L3"), 0.5)))
    with pytest.raises(ShapeError, match="sum to at most 1"):
        Localization(centers(2), (Naming(levels("L2", "L3"), 0.7), two))


def test_there_are_namings_or_a_reason_to_refuse():
    with pytest.raises(ShapeError, match="reason to refuse"):
        Localization(centers(1))
    with pytest.raises(ShapeError, match="reason to refuse"):
        Localization(centers(1), (Naming(levels("L1"), 1.0),), refused="a block")
