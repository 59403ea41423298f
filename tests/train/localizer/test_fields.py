import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.train.localizer.fields import SMALL, FieldShares, SeenBox, draw_seen

CENTERS = np.array([[0.0, 0.0, -28.0 * k] for k in range(17)])
LOW, HIGH = np.array([-180.0, -120.0, -560.0]), np.array([180.0, 120.0, 80.0])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_field_shows_three_bodies_or_more_and_40_mm_around_them(seed):
    seen = draw_seen(np.random.default_rng(seed), CENTERS, LOW, HIGH)
    inside = seen.holds(CENTERS)
    assert inside.sum() >= 3
    assert (seen.low_mm >= LOW).all()
    assert (seen.high_mm <= HIGH).all()
    assert (seen.low_mm[:2] <= -40).all()
    assert (seen.high_mm[:2] >= 40).all()


def test_one_in_four_is_whole_unless_all_are_to_be_cut():
    def whole(share):
        boxes = [
            draw_seen(np.random.default_rng(k), CENTERS, LOW, HIGH, FieldShares(whole=share))
            for k in range(200)
        ]
        return np.mean([box.holds(CENTERS).all() for box in boxes])

    assert 0.2 < whole(0.25) < 0.45
    assert whole(0.0) < 0.15
    assert whole(1.0) == 1.0


def test_small_fields_are_short_and_narrow_more_often():
    def shown(**shares):
        boxes = [
            draw_seen(np.random.default_rng(k), CENTERS, LOW, HIGH, **shares) for k in range(200)
        ]
        few = np.mean([3 <= box.holds(CENTERS).sum() <= 7 for box in boxes])
        narrow = np.mean([(box.high_mm - box.low_mm)[0] < 280 for box in boxes])
        return few, narrow

    usual, small = shown(), shown(shares=SMALL)
    assert small[0] > usual[0] + 0.2
    assert small[1] > usual[1] + 0.2


def test_a_box_holds_its_border():
    box = SeenBox(np.zeros(3), np.ones(3))
    assert box.holds(np.array([[0.0, 1, 0.5], [0, 1.01, 0]])).tolist() == [True, False]
