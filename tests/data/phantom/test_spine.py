from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.anatomy import LEVEL_NAMES
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.shape import Collapse
from spinexplain.data.phantom.spine import body_center, level_index, stack


@pytest.fixture(scope="module")
def healthy():
    return draw_subject(np.random.default_rng(1), load_preset("demo"), {})


def broken_at(subject, level, collapse):
    k = level_index(level)
    body = subject.bodies[k]
    bodies = list(subject.bodies)
    bodies[k] = replace(body, upper=replace(body.upper, collapse=collapse))
    return tuple(bodies)


def centers(bodies, posture, fractured=True):
    return np.array([place.center for place in stack(bodies, posture, fractured)])


def test_a_crush_brings_down_all_above_and_nothing_below(healthy):
    bodies = broken_at(healthy, "L1", Collapse(posterior=8.0, middle=8.0, anterior=8.0))
    before, after = centers(healthy.bodies, healthy.posture), centers(bodies, healthy.posture)
    k = level_index("L1")
    moved = np.linalg.norm(after - before, axis=1)
    assert moved[k + 1 :].max() == 0.0
    assert moved[:k] == pytest.approx(np.full(k, 8.0), abs=1e-6)
    assert (after - before)[:k, 2].max() < -6.0


def test_a_wedge_adds_kyphosis_above(healthy):
    bodies = broken_at(healthy, "T12", Collapse(posterior=0.0, middle=4.0, anterior=8.0))
    posture = replace(healthy.posture, kyphosis_share=1.0)
    before, after = stack(healthy.bodies, posture, True), stack(bodies, posture, True)
    lean = [np.arctan2(p[0].axes[2, 1], p[0].axes[2, 2]) for p in (before, after)]
    depth = healthy.bodies[level_index("T12")].depth
    assert lean[1] - lean[0] == pytest.approx(np.arctan(8.0 / depth), abs=0.03)


def test_the_twin_stands_as_if_nothing_happened(healthy):
    bodies = broken_at(healthy, "L1", Collapse(8.0, 8.0, 8.0))
    twin = centers(bodies, healthy.posture, fractured=False)
    assert twin == pytest.approx(centers(healthy.bodies, healthy.posture))


def test_frames_are_rotations_and_levels_run_downwards(healthy):
    places = stack(healthy.bodies, healthy.posture, True)
    for place in places:
        assert place.axes @ place.axes.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(place.axes) == pytest.approx(1.0)
    z = [place.center[2] for place in places]
    assert z == sorted(z, reverse=True)
    assert len(places) == len(LEVEL_NAMES)


def test_the_center_of_a_broken_body_lies_between_its_endplates(healthy):
    bodies = broken_at(healthy, "L3", Collapse(6.0, 6.0, 6.0))
    k = level_index("L3")
    place = stack(bodies, healthy.posture, True)[k]
    fall = body_center(bodies[k], place, True) - body_center(bodies[k], place, False)
    assert fall @ place.axes[2] == pytest.approx(-3.0, abs=0.3)
