import pytest

from spinexplain.reproduce.left_open import left_open

TRUNK = ("C7", *(f"T{k}" for k in range(1, 14)), *(f"L{k}" for k in range(1, 7)), "S1")


@pytest.mark.parametrize("extra", [(), ("T13",), ("L6",), ("T13", "L6")])
def test_a_whole_trunk_can_be_counted(extra):
    shown = [level for level in TRUNK if level not in {"T13", "L6"} - set(extra)]
    assert left_open(shown, extra) == ()


def test_usual_persons_leave_nothing_open():
    assert left_open(("L3", "L4", "L5", "S1"), ()) == ()
    assert left_open(("T10", "T11", "T12", "L1"), ()) == ()


def test_a_thirteenth_rib_without_the_first_leaves_thoracic_levels_open():
    assert left_open(("T9", "T10", "T11", "T12", "T13", "L1", "L2"), ("T13",))[0] == "T9"
    assert left_open(("T3", "T4", "T5"), ("T13",)) == ()  # the usual levels look as they are
    assert left_open(("L1", "L2", "L3"), ("T13",)) == ()


def test_six_lumbar_levels_on_a_sacrum_hang_on_the_last_rib():
    assert left_open(("L4", "L5", "L6", "S1"), ("L6",)) == ("L4", "L5", "L6")
    assert left_open(("T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1"), ("L6",)) == ()
    assert left_open(("L1", "L2", "L3"), ("L6",)) == ()
