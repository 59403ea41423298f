import numpy as np

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import stack
from spinexplain.data.phantom.wide.cage import BoneLook
from spinexplain.data.phantom.wide.neck import UPPER, draw_skull, with_neck


def test_the_neck_goes_on_top_and_all_below_stays():
    preset = load_preset("wide")
    subject = draw_subject(np.random.default_rng(0), preset, {})
    grown = with_neck(np.random.default_rng(1), preset, subject)
    assert grown.names == (*UPPER, *subject.names)
    assert grown.bodies[3:] == subject.bodies
    before = stack(subject.bodies, subject.posture, fractured=True)
    after = stack(grown.bodies, grown.posture, fractured=True)
    at = grown.names.index("T4")
    assert np.allclose(after[at].center, before[at - 3].center)


def test_the_skull_sits_above_the_atlas(people):
    for person in people[:3]:
        spine = (person.subject.bodies, person.places)
        look = BoneLook(700.0, 1.0, 100.0)
        solids = draw_skull(np.random.default_rng(0), spine, person.marks.size, look)
        top = max(float(solid.centers[:, 2].max()) for solid in solids)
        assert top > person.centers_mm["C1"][2] + 40


def test_no_neck_hangs_on_the_chest(people):
    for person in people:
        forward = person.axes["C2"][2]
        assert forward[2] > 0.6
