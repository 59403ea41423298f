import numpy as np

from spinexplain.data.phantom.wide.organs import PHASES, Contrast, draw_contrast, draw_organs


def test_phases_come_as_asked_for():
    rng = np.random.default_rng(0)
    drawn = [draw_contrast(rng, (0, 1, 0, 0), 0.5) for _ in range(40)]
    assert {one.phase for one in drawn} == {PHASES[1]}
    assert 8 < sum(one.oral_hu > 0 for one in drawn) < 32


def test_arterial_blood_is_bright_and_native_is_not(people):
    person = people[0]
    brightest = {}
    for phase in ("native", "arterial"):
        solids = draw_organs(
            np.random.default_rng(3), person.marks, person.outline, Contrast(phase, 0.0)
        )
        blood = [s.hu for s in solids if len(s.centers) > 30 and s.hu > 0]
        brightest[phase] = np.median(blood)
    assert brightest["arterial"] > brightest["native"]


def test_late_contrast_fills_the_bladder(people):
    person = people[0]
    rng = np.random.default_rng(3)
    solids = draw_organs(rng, person.marks, person.outline, Contrast("late", 0.0))
    low = person.marks.height(20)
    assert any(solid.hu >= 200 and solid.centers[0, 2] < low for solid in solids)
