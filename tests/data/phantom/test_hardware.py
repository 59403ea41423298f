import numpy as np
import pytest

from spinexplain.data.phantom.bone import paint_body
from spinexplain.data.phantom.canvas import blank_canvas
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.hardware import Implant, draw_implants, paint_implants
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import level_index, stack

LEVELS = tuple(f"T{i}" for i in range(1, 13)) + tuple(f"L{i}" for i in range(1, 6))


def test_most_people_have_none_and_others_neighboring_levels():
    rng = np.random.default_rng(0)
    drawn = [draw_implants(rng, 0.2, LEVELS) for _ in range(300)]
    share = np.mean([bool(implants) for implants in drawn])
    assert share == pytest.approx(0.2, abs=0.06)
    for implants in filter(None, drawn):
        at = [LEVELS.index(implant.level) for implant in implants]
        assert at == list(range(at[0], at[0] + len(at)))
    assert draw_implants(rng, 0.0, LEVELS) == ()


@pytest.mark.parametrize("kind", ["screws", "cement", "cage"])
def test_implants_are_bright_and_near_their_vertebra(kind):
    subject = draw_subject(np.random.default_rng(0), load_preset("demo"), {})
    places = stack(subject.bodies, subject.posture, True)
    k = level_index("L2")
    lines = [c + np.arange(-45.0, 46.0, 1.5) for c in places[k].center]
    canvas = blank_canvas(np.random.default_rng(0), box_grid(*lines, 1.5), 40.0)
    paint_body(canvas, subject.bodies[k], places[k], True)
    paint_implants(canvas, (Implant("L2", kind, 3071.0, 4.0),), subject.bodies, places)
    assert canvas.hu.max() > 2500
    assert 300 < (canvas.hu > 2000).sum() * 1.5**3 < 30000  # mm^3
    if kind == "cement":
        assert (canvas.body[canvas.hu > 1500] == subject.bodies[k].code).all()
