import numpy as np

from spinexplain.data.phantom.arch import arch_struts, paint_arch, rib_struts
from spinexplain.data.phantom.canvas import blank_canvas
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import Placement, level_index

SUBJECT = draw_subject(np.random.default_rng(0), load_preset("demo"), {})
EVEN = np.ones(5)


def body(level):
    return SUBJECT.bodies[level_index(level)]


def test_arches_are_symmetric():
    for level in ("T6", "L3"):
        ends = np.array([np.r_[start, end] for start, end, _ in arch_struts(body(level), EVEN)])
        mirrored = ends * np.tile([-1, 1, 1], 2)
        assert {tuple(row) for row in ends.round(6) + 0.0} == {
            tuple(row) for row in mirrored.round(6) + 0.0
        }


def test_only_thoracic_levels_have_ribs():
    assert len(rib_struts(body("T6"))) == 6
    assert rib_struts(body("L1")) == []


def test_the_arch_lies_behind_the_body_around_a_free_canal_and_ribs_are_not_labelled():
    line = np.arange(-70.0, 71.0, 1.5)
    grid = box_grid(line, line, np.arange(-30.0, 31.0, 1.5), 1.5)
    canvas = blank_canvas(np.random.default_rng(0), grid, 40.0)
    vertebra = body("T8")
    paint_arch(canvas, vertebra, Placement(np.zeros(3), np.eye(3)), EVEN)
    x, y, _ = (line[i] if k < 2 else i for k, i in enumerate(np.nonzero(canvas.label)))
    assert y.max() < 0
    assert abs(np.mean(x)) < 1.0
    canal = canvas.label[np.abs(line) < 6][
        :, (line < -vertebra.depth / 2 - 3) & (line > -vertebra.depth / 2 - 12)
    ]
    assert not canal.any()
    unlabelled = (canvas.hu > 200) & (canvas.label == 0)
    far = np.abs(line) > vertebra.width / 2 + 30
    assert unlabelled[far].any()


def test_no_arch_reaches_into_the_middle_of_the_canal():
    line = np.arange(-40.0, 41.0, 1.0)
    for level in ("T10", "L2", "L4"):
        vertebra = body(level)
        canvas = blank_canvas(np.random.default_rng(0), box_grid(line, line, line, 1.0), 40.0)
        paint_arch(canvas, vertebra, Placement(np.zeros(3), np.eye(3)), EVEN)
        behind = (line < -vertebra.depth / 2 - 4) & (line > -vertebra.depth / 2 - 11)
        assert not canvas.label[np.abs(line) < 4][:, behind].any(), level
