from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.bone import paint_body, paint_disc, wall_distance
from spinexplain.data.phantom.canvas import blank_canvas
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.shape import Collapse, plain_body
from spinexplain.data.phantom.spine import Placement

LINE = np.arange(-27.5, 28.0, 1.0)  # no sample on a surface
UPRIGHT = Placement(np.zeros(3), np.eye(3))


def canvas_for():
    return blank_canvas(np.random.default_rng(0), box_grid(LINE, LINE, LINE, 1.0), 40.0)


def body_of(**changes):
    body = plain_body(30.0, 40.0, (24.0, 24.0, 24.0))
    return replace(body, code=20, rounding=0.3, **changes)


def test_a_body_fills_its_volume_with_marrow_inside_cortex():
    canvas = canvas_for()
    paint_body(canvas, body_of(), UPRIGHT, True)
    t = np.linspace(-1, 1, 4001)  # area of |x|^3 + |y|^3 < 1
    area = 2 * np.trapezoid(np.cbrt(1 - np.abs(t) ** 3), t) * 20 * 15
    assert canvas.body.astype(bool).sum() == pytest.approx(area * 24, rel=0.02)
    assert canvas.hu[28, 28, 28] == pytest.approx(150, abs=1)
    assert canvas.hu[28, 28, 28 + 11] > 250  # just under the endplate at w = 12
    assert set(np.unique(canvas.label)) == {0, 20}
    assert not canvas.evidence.any()


def test_a_collapsed_endplate_lowers_the_body_and_leaves_evidence():
    whole, broken = canvas_for(), canvas_for()
    flat = body_of()
    body = replace(flat, upper=replace(flat.upper, collapse=Collapse(8.0, 8.0, 8.0)))
    paint_body(whole, body, UPRIGHT, False)
    paint_body(broken, body, UPRIGHT, True)
    heights = [canvas.body[28, 28].astype(bool).sum() for canvas in (whole, broken)]
    assert heights == [24, 16]
    marked = np.flatnonzero(broken.evidence[28, 28])
    assert LINE[marked].min() == pytest.approx(2.0, abs=1)  # 2 mm into the lowered body
    assert LINE[marked].max() == pytest.approx(12.0, abs=1)  # up to where it once was
    assert not whole.evidence.any()


def test_wall_lips_and_waist():
    waisted, lipped = canvas_for(), canvas_for()
    paint_body(waisted, body_of(waist=3.0), UPRIGHT, True)
    paint_body(lipped, body_of(lip=(5.0, 0.0, 0.0, 0.0)), UPRIGHT, True)
    depth = [(c.body[28, :, 28] > 0).sum() for c in (waisted, lipped)]
    assert depth[1] - depth[0] in (4, 5)  # 3 in front, 1.5 behind
    top = LINE[np.flatnonzero(lipped.body[28, :, 28 + 11])]
    assert top.max() >= 17  # the osteophyte overhangs the wall at 15


def test_a_disc_lies_between_two_bodies():
    canvas = canvas_for()
    upper = (body_of(), Placement(np.array([0.0, 0.0, 18.0]), np.eye(3)))
    lower = (body_of(), Placement(np.array([0.0, 0.0, -18.0]), np.eye(3)))
    paint_disc(canvas, upper, lower, 90.0, 0.0)
    middle = canvas.hu[18:39, 20:37, 26:31]
    assert middle.mean() == pytest.approx(90.0, abs=6)
    paint_disc(canvas, upper, lower, 90.0, -300.0)
    assert canvas.hu[28, 28, 28] < 90


def test_a_kidney_shaped_body_is_hollow_behind_and_keeps_its_depth():
    body = replace(plain_body(34.0, 46.0, (25.0, 24.0, 25.0)), hollow_mm=3.0, round_front=1.0)
    u, v = np.meshgrid(np.arange(-30, 31, 0.5), np.arange(-25, 26, 0.5), indexing="ij")
    zero = np.zeros_like(u)
    inside = wall_distance(body, u, v, zero, (zero - 12, zero - 12)) < 0
    back = np.where(inside.any(axis=1), v[0][np.argmax(inside, axis=1)], np.nan)
    at = dict(zip(u[:, 0], back, strict=True))
    assert at[0.0] == pytest.approx(-17.0, abs=0.6)
    assert at[17.0] < at[0.0] - 1.5
    assert at[-17.0] == pytest.approx(at[17.0])
    box = replace(body, hollow_mm=0.0, round_front=0.0)
    flat = wall_distance(box, u, v, zero, (zero - 12, zero - 12)) < 0
    assert inside[:, v[0] > 5].sum() < flat[:, v[0] > 5].sum()
