from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.posture import angle_at
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import stack
from spinexplain.data.phantom.transitional import ABOVE, with_extra_level

HARD = load_preset("hard")


def both(name, seed=0, preset=HARD):
    subject = draw_subject(np.random.default_rng(seed), preset, {})
    return subject, with_extra_level(np.random.default_rng(seed + 9), preset, subject, name)


@pytest.mark.parametrize("name", ["T13", "L6"])
def test_an_extra_level_lies_below_its_neighbor_and_leaves_the_others_alone(name):
    subject, more = both(name)
    at = more.names.index(name)
    assert more.names[at - 1] == ABOVE[name]
    assert more.bodies[at].code == VertebraLevel(name).verse_label
    assert tuple(b for b in more.bodies if b.name != name) == subject.bodies
    assert tuple(t for t in more.truth if t.level != name) == subject.truth
    assert [t.level for t in more.truth] == [n for n in more.names if n[0] in "TL"]
    for values in (more.posture.disc, more.posture.flex, more.posture.roll, more.posture.side_mm):
        assert len(values) == len(more.bodies)


@pytest.mark.parametrize("name", ["T13", "L6"])
def test_the_spine_grows_and_leans_at_l3_as_before(name):
    subject, more = both(name, seed=3)
    lean = [angle_at(s.bodies, s.posture, "L3") + s.posture.tilt for s in (subject, more)]
    assert lean[0] == pytest.approx(lean[1])
    long = []
    for s in (subject, more):
        centers = np.array([place.center for place in stack(s.bodies, s.posture, True)])
        long.append(np.linalg.norm(np.diff(centers, axis=0), axis=1).sum())
    assert 12 < long[1] - long[0] < 48


def test_extra_levels_are_fractured_at_about_the_presets_rate():
    certain = replace(HARD, fractures=replace(HARD.fractures, target=(0, 1, 1, 1)))
    _, more = both("T13", preset=certain)
    fact = next(t for t in more.truth if t.level == "T13")
    assert fact.grade > 0
    assert fact.shape != "none"
    never = replace(HARD, fractures=replace(HARD.fractures, target=(1, 0, 0, 0.001)))
    assert next(t for t in both("L6", preset=never)[1].truth if t.level == "L6").grade == 0
