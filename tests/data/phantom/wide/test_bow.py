from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import stack
from spinexplain.data.phantom.wide.bow import bent
from spinexplain.data.phantom.wide.person import draw_wide_person

CROOKED = 6
"""Of seed 8 of ``wide-test``: its spine runs at 69 degrees in the end."""


def distances(places):
    centers = np.array([place.center for place in places])
    return np.linalg.norm(np.diff(centers, axis=0), axis=1)


@pytest.fixture(scope="module")
def subject():
    return draw_wide_person("wide-test", 8, CROOKED).subject


def upright(subject):
    posture = replace(subject.posture, side_mm=0.0 * subject.posture.side_mm)
    return stack(subject.bodies, posture, True)


def test_bodies_of_a_bent_spine_lie_as_far_apart_as_of_an_upright_one(subject):
    spine = bent(subject)
    places = stack(spine.bodies, spine.posture, True)
    assert np.allclose(distances(places), distances(upright(subject)), rtol=1e-6)
    before = stack(subject.bodies, subject.posture, True)
    assert (distances(before) / distances(upright(subject))).max() > 1.3


def test_bodies_look_along_the_curve(subject):
    spine = bent(subject)
    places = stack(spine.bodies, spine.posture, True)
    centers = np.array([place.center for place in places])
    along = centers[:-2] - centers[2:]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    leans = np.array([place.axes[2][0] for place in places[1:-1]])
    assert np.abs(leans).max() > 0.5
    assert np.abs(np.arcsin(leans) - np.arcsin(along[:, 0])).max() < np.deg2rad(15)


def test_a_spine_without_a_bow_stays_where_it_is(subject):
    straight = replace(
        subject,
        posture=replace(
            subject.posture,
            side_mm=0.0 * subject.posture.side_mm,
            roll=0.0 * subject.posture.roll,
        ),
    )
    spine = bent(straight)
    for one, other in zip(
        stack(spine.bodies, spine.posture, True),
        stack(straight.bodies, straight.posture, True),
        strict=True,
    ):
        assert np.allclose(one.center, other.center)
        assert np.allclose(one.axes, other.axes)


def test_only_presets_that_ask_for_it_keep_the_length():
    assert load_preset("wide-2").wide.keeps_length is True
    assert load_preset("wide-test").wide.keeps_length is False
    assert draw_wide_person("wide-test-2", 8, CROOKED).subject.posture.keeps_length
    known = draw_wide_person("wide-test", 8, CROOKED).patient
    assert draw_wide_person("wide-test-2", 8, CROOKED).patient == known
