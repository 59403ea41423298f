from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.canvas import blank_canvas, blend, cover
from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.grids import box_grid
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import level_index, stack
from spinexplain.data.phantom.tissue import (
    _organs,
    draw_surroundings,
    paint_surroundings,
    spine_frame,
)


@pytest.fixture(scope="module")
def painted():
    preset = load_preset("demo")
    subject = draw_subject(np.random.default_rng(3), preset, {})
    places = stack(subject.bodies, subject.posture, True)
    around = draw_surroundings(np.random.default_rng(4), preset.around, places)
    top, low = places[level_index("T5")].center[2], places[level_index("L5")].center[2]
    x = np.arange(-130.0, 131.0, 3.0)
    y = places[level_index("L1")].center[1] + np.arange(-120.0, 121.0, 3.0)
    grid = box_grid(x, y, np.arange(low, top, 3.0), 3.0)
    canvas = blank_canvas(np.random.default_rng(5), grid, around.soft)
    paint_surroundings(canvas, around, subject.bodies, places)
    return canvas, around, subject, places


def test_every_tissue_is_there(painted):
    canvas, around, *_ = painted
    shares = {
        "air": (canvas.hu < -990).mean(),
        "lung": (np.abs(canvas.hu - around.lung) < 120).mean(),
        "fat": (np.abs(canvas.hu - around.fat) < 20).mean(),
        "soft": (np.abs(canvas.hu - around.soft) < 25).mean(),
    }
    assert all(share > 0.02 for share in shares.values()), shares


def test_the_canal_runs_behind_every_body(painted):
    canvas, around, subject, places = painted
    k = level_index("L3")
    body, place = subject.bodies[k], places[k]
    at = place.center - place.axes[1] * (body.depth / 2 + 9)
    grid = canvas.grid
    index = tuple(
        int(np.argmin(np.abs(line.ravel() - value)))
        for line, value in zip((grid.x, grid.y, grid.z), at, strict=True)
    )
    assert canvas.hu[index] == pytest.approx(around.sac, abs=12)


def test_organs_are_painted_as_if_on_the_whole_grid(painted):
    canvas, around, subject, places = painted
    frame = spine_frame(canvas, subject.bodies, places)
    assert len(around.blobs) > 3
    whole = replace(canvas, hu=np.full_like(canvas.hu, 40.0))
    for blob in around.blobs:
        a, b, c = blob.half
        du, dv, dw = frame.side - blob.side, frame.a - blob.front, frame.z - blob.z
        rho = np.sqrt((du / a) ** 2 + (dv / b) ** 2 + (dw / c) ** 2)
        distance = (rho - 1) * min(blob.half) + 1.5 * canvas.coarse
        blend(whole.hu, cover(distance, 1.0), blob.wall_hu)
        blend(whole.hu, cover(distance + 2.5, 1.0), blob.hu)
    near = replace(canvas, hu=np.full_like(canvas.hu, 40.0))
    _organs(near, around, frame)
    assert (near.hu != 40.0).any()
    np.testing.assert_array_equal(near.hu, whole.hu)


def test_lungs_stay_above_the_diaphragm(painted):
    canvas, around, *_ = painted
    z = np.broadcast_to(canvas.grid.z, canvas.hu.shape)
    inside = np.abs(canvas.grid.x) < 60
    lung = (np.abs(canvas.hu - around.lung) < 100) & inside
    assert (z[lung] < around.diaphragm_z - 12).mean() < 0.05  # bowel gas, at most


def test_surroundings_differ_between_people(painted):
    _, _, _, places = painted
    ranges = load_preset("balanced").around
    drawn = [draw_surroundings(np.random.default_rng(k), ranges, places) for k in range(40)]
    assert len({len(s.blobs) for s in drawn}) > 4
    assert {s.lung_midline for s in drawn} == {True, False}
