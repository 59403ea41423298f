import pytest

from spinexplain.reproduce.localizer import counted


def test_counting_from_either_end_needs_no_image():
    assert counted(3, first="T11") == ("T11", "T12", "L1")
    assert counted(3, last="L5") == ("L3", "L4", "L5")


@pytest.mark.parametrize("count", [1, 6, 24])
def test_beyond_the_named_levels_there_is_no_name(count):
    below = counted(count, first="L4")
    assert len(below) == count
    assert below[:2] == ("L4", "L5")[:count]
    assert "L6" not in below
    assert "T13" not in counted(count, last="L5")
