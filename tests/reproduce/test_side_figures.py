import pytest

from spinexplain.reproduce.side_figures import (
    by_lean,
    chosen_on,
    difference,
    figures_of,
    one_sided,
    opponents,
    right_side,
    share_named,
    straight,
)

OFFSETS = (-16.0, -12.0, -8.0, -4.0, 0.0, 4.0, 8.0, 12.0, 16.0)


def row(name, moved, left=0.0, right=0.0, heights=None, detector=None, called=True):
    """A vertebra whose sheets 8 and 12 mm beside the middle have the given grades."""
    grades = [1.0] * 9
    grades[1] = grades[2] = right
    grades[6] = grades[7] = left
    return {
        "subject": name,
        "moved_mm": moved,
        "offsets_mm": OFFSETS,
        "grades": grades,
        "strengths": grades[::-1],
        "heights_mm": heights,
        "detector": detector,
        "called": called,
    }


LEFT = [row(f"l{k}", (6.0, 2.0), 3.0, 1.0, (9.0, 14.0), (1.0, 1.0)) for k in range(6)]
RIGHT = [row(f"r{k}", (2.0, 6.0), 1.0, 2.0, (14.0, 9.0), (1.0, 1.0)) for k in range(6)]
EVEN = [row(f"e{k}", (4.0, 4.0), 2.0, 2.0 - 0.1 * (k == 0)) for k in range(12)]
HEALTHY = [row("h", (0.0, 0.0), called=False)]


def test_fractures_are_set_apart_by_what_moved():
    every = [*LEFT, *RIGHT, *EVEN, *HEALTHY]
    assert one_sided(every) == [*LEFT, *RIGHT]
    assert straight(every) == EVEN
    assert straight([row("x", (4.0, 4.0), called=False)]) == []


def test_differences_are_of_the_sheets_asked_for():
    assert difference(LEFT[0], (8.0, 12.0)) == pytest.approx(2)
    assert difference(LEFT[0], (4.0,)) == 0
    assert difference(LEFT[0], (4.0, 8.0)) == pytest.approx(1)


def test_both_sides_count_the_same_and_a_tie_is_half_right():
    rows = [*LEFT, RIGHT[0]]
    assert right_side(rows, [1.0] * 7)[0] == 0.5  # always left
    assert right_side(rows, [0.0] * 7)[0] == 0.5
    assert right_side(rows, [1.0] * 6 + [-1.0])[0] == 1


def test_the_least_difference_keeps_most_straight_fractures_without_a_side():
    found = chosen_on([*LEFT, *RIGHT, *EVEN])
    assert found["offsets_mm"] == [8.0]  # first of those that name every side
    assert found["least"] == 0.1  # one of twelve is named at 0.1: 8 %
    assert found["named_right"] == 1
    assert {tuple(one["offsets_mm"]) for one in found["validation"]["tried"]} >= {(4.0,), (8.0,)}
    leaning = [row(f"e{k}", (4.0, 4.0), 2.0, 1.4) for k in range(12)]
    assert chosen_on([*LEFT, *RIGHT, *leaning])["least"] > 0.6


def test_opponents_answer_on_the_same_fractures():
    found = opponents([*LEFT, *RIGHT], (8.0, 12.0))
    assert found["grades"][0] == 1
    assert found["map"][0] == 0  # drawn the wrong way round
    assert found["heights"][0] == 1  # the lower third sank
    assert found["image-blind"][0] == found["detector"][0] == 0.5


def test_the_test_is_scored_with_what_validation_chose():
    validation = {"one-sided": [*LEFT, *RIGHT], "straight": EVEN}
    test = {"one-sided": [*LEFT[:3], *RIGHT, *HEALTHY], "straight": EVEN}
    found = figures_of(validation, test)
    assert found["test"]["one_sided"] == {"left": 3, "right": 6}
    assert found["test"]["named"] == found["test"]["right_of_named"] == 1
    assert found["test"]["straight_named"] == pytest.approx(1 / 12, abs=1e-4)
    assert (found["test"]["healthy"], found["test"]["healthy_named"]) == (1, 0)
    assert share_named([], (8.0,), 0.5) == 0


def test_slight_leans_stand_by_themselves():
    found = by_lean([*LEFT, *EVEN, *HEALTHY], (8.0, 12.0))
    assert [one["fractures"] for one in found] == [12, 0, 0, 6]
    assert found[1]["right"] is None
    assert found[3]["right"] == 1
