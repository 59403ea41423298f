import io
import json

import numpy as np
import pytest
from PIL import Image

from spinexplain.app.frames import (
    crosshair_of,
    plane_frame,
    plane_png,
    sheet_from_json,
    sheet_to_json,
)
from spinexplain.spine.reformat import sheet_frame
from spinexplain.types import Volume


def test_a_sheet_survives_json_exactly(lumbar):
    vertebrae = [item.vertebra for item in lumbar.vertebrae]
    frame = sheet_frame(vertebrae, vertebrae[2])
    again = sheet_from_json(json.loads(json.dumps(sheet_to_json(frame))))
    index = np.array([[0.0, 0.0], [55.5, 55.5], [111.0, 30.0]])
    assert np.array_equal(frame.to_mm(index), again.to_mm(index))


def _turn(degrees, axis):
    a, b = [i for i in range(3) if i != axis]
    turn = np.eye(3)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[a, a], turn[a, b], turn[b, a], turn[b, b] = c, -s, s, c
    return turn


def _with_marker(level, toward_mm, oblique):
    """A scan of air, on an oblique grid if asked, with a ball ``toward_mm`` off the center."""
    turn = _turn(20, 0) @ _turn(-12, 2) if oblique else np.diag([-1.0, 1.0, -1.0])
    affine = np.eye(4)
    affine[:3, :3] = turn
    center = np.array(level["centroid_mm"])
    affine[:3, 3] = center - turn @ np.full(3, 60.0)
    ijk = np.stack(np.mgrid[:121, :121, :121], axis=-1)
    mm = ijk @ affine[:3, :3].T + affine[:3, 3]
    ball = np.linalg.norm(mm - (center + toward_mm), axis=-1) < 5
    return Volume(np.where(ball, 1000, -900).astype(np.int16), affine)


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize(
    ("plane", "toward_mm", "side"),
    [
        # RAS+: -x is the patient's left, +y anterior, +z cranial.
        ("coronal", (-20, 0, 0), "right"),
        ("axial", (-20, 0, 0), "right"),
        ("axial", (0, 20, 0), "top"),
        ("sagittal", (0, 20, 0), "left"),
        ("sagittal", (0, 0, 20), "top"),
        ("coronal", (0, 0, 20), "top"),
    ],
)
def test_a_marker_is_where_the_letters_say(view, plane, toward_mm, side, oblique):
    level = view.level("L3")
    content = plane_png(_with_marker(level, toward_mm, oblique), level, plane, 0.0, "bone")
    pixels = np.array(Image.open(io.BytesIO(content))).astype(float)
    rows, columns = np.nonzero(pixels > 100)
    middle = (np.array(pixels.shape) - 1) / 2
    offset = np.array([rows.mean(), columns.mean()]) - middle
    axis, sign = {"right": (1, 1), "left": (1, -1), "top": (0, -1)}[side]
    assert offset[axis] * sign == pytest.approx(80, abs=12)  # 20 mm at four pixels each
    assert abs(offset[1 - axis]) < 40


def test_an_offset_moves_to_the_side_it_says(view):
    level = view.level("L3")
    center = plane_frame(level, "sagittal", 0.0).to_mm(np.array([55.5, 55.5]))
    left = plane_frame(level, "sagittal", 10.0).to_mm(np.array([55.5, 55.5]))
    assert (left - center)[0] == pytest.approx(-10, abs=1.0)
    lower = plane_frame(level, "axial", 10.0).to_mm(np.array([0, 55.5, 55.5]))
    assert lower[2] < level["centroid_mm"][2] - 7


@pytest.mark.parametrize("level", ["T12", "L1", "L5"])
def test_the_crosshair_lies_where_the_planes_are_sampled(view, level):
    """A point of a plane is where the others' offsets say, on every plane's own frame."""
    found = view.level(level)
    cross = crosshair_of(found)
    axes, center = np.array(found["box"]["axes"]), np.array(found["box"]["center_mm"])
    along = dict(zip(("caudal", "posterior", "left"), axes, strict=True))
    for plane, tolerance in (("coronal", 1e-6), ("axial", 1e-6), ("sagittal", 0.6)):
        frame = plane_frame(found, plane, 0.0)
        first, second = (name for name in cross[plane] if name != "origin")
        mm = center + 9 * along[first] - 7 * along[second]
        place = np.array(cross[plane]["origin"])
        place = place + 9 * np.array(cross[plane][first]) - 7 * np.array(cross[plane][second])
        kept = [k for k in range(3) if k >= len(frame.shape) or frame.shape[k] > 1][:2]
        row, column = np.asarray(frame.to_patch(mm))[kept] + 0.5
        assert np.abs(place - (column, row)).max() <= tolerance
