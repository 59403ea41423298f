import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.parts import (
    PARTS,
    body_frame,
    part_at,
    part_names,
    part_regions,
)


def tilted_body(degrees, size=(80, 90), height=24, depth=32, center=(38.0, 47.0)):
    """A rectangle seen from the side, its front turned downwards by so many degrees."""
    angle = np.deg2rad(degrees)
    row, column = np.indices(size)
    y, x = row - center[0], column - center[1]
    anterior = np.array([np.sin(angle), -np.cos(angle)])
    cranial = np.array([-np.cos(angle), -np.sin(angle)])
    h, t = y * cranial[0] + x * cranial[1], y * anterior[0] + x * anterior[1]
    return (np.abs(h) <= height / 2) & (np.abs(t) <= depth / 2), h / (height / 2), t / (depth / 2)


@pytest.mark.parametrize("degrees", [-25, -10, 0, 15, 30])
def test_a_tilted_body_is_found(degrees):
    body, h, t = tilted_body(degrees)
    frame = body_frame(body)
    found = frame.coordinates(body.shape)
    assert np.allclose(frame.center, (38, 47), atol=1.0)
    assert np.abs(found[0] - h)[body].max() < 0.2
    assert np.abs(found[1] - t)[body].max() < 0.2


def test_a_wedge_keeps_its_endplates_on_their_sides():
    body, h, t = tilted_body(0)
    wedge = body & (h < 1 - 0.8 * (t + 1) / 2)  # the front lost 40 % of its height from above
    superior, inferior = part_regions(body_frame(wedge), wedge.shape, "endplate")
    lost = body & ~wedge
    assert (superior & lost).sum() > 0.9 * lost.sum()
    assert not (inferior & lost).any()


def test_left_is_the_patients_left():
    body = np.zeros((30, 40, 50), bool)
    body[10:20, 10:30, 10:40] = True
    left, right = part_regions(body_frame(body), body.shape, "side")
    assert left[15, 20, 35]  # axis 2 runs towards the patient's left
    assert right[15, 20, 15]
    anterior, _, posterior = part_regions(body_frame(body), body.shape, "third")
    assert anterior[15, 11, 25]
    assert posterior[15, 28, 25]


def test_a_box_turned_in_the_coronal_plane_is_followed():
    grid = np.indices((60, 60, 60)) - 29.5
    angle = np.deg2rad(12)
    up = -(np.cos(angle) * grid[0] - np.sin(angle) * grid[2])
    across = np.sin(angle) * grid[0] + np.cos(angle) * grid[2]
    body = (np.abs(up) < 10) & (np.abs(grid[1]) < 15) & (np.abs(across) < 20)
    found = body_frame(body).coordinates(body.shape)
    assert np.abs(found[0] - up / 10)[body].max() < 0.25


@settings(max_examples=25, deadline=None)
@given(st.integers(-20, 20), st.sampled_from(["endplate", "third"]))
def test_parts_do_not_overlap_and_hold_the_body(degrees, question):
    body, _, _ = tilted_body(degrees)
    regions = part_regions(body_frame(body), body.shape, question)
    assert len(regions) == len(PARTS[question])
    assert regions.sum(axis=0).max() == 1
    assert (regions.any(axis=0) & body).sum() > 0.95 * body.sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 79), st.integers(0, 89))
def test_a_sample_is_in_the_part_its_regions_say(row, column):
    body, _, _ = tilted_body(10)
    frame = body_frame(body)
    regions = [
        part_regions(frame, body.shape, question)[:, row, column]
        for question in PARTS
        if question != "side"
    ]
    part = part_at(frame, (row, column))
    if part < 0:
        assert not any(region.any() for region in regions)
        return
    expected = " ".join(
        PARTS[q][int(r.argmax())] for q, r in zip(PARTS, regions, strict=False) if r.any()
    )
    assert part_names(2)[part].endswith(expected)


def test_coordinates_and_samples_are_inverse():
    body, _, _ = tilted_body(17)
    frame = body_frame(body)
    grid = frame.coordinates(body.shape)
    assert np.allclose(frame.samples(grid.astype(float)), np.indices(body.shape), atol=1e-3)


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match="mask with samples"):
        body_frame(np.zeros((5, 5), bool))
    frame = body_frame(np.ones((5, 5), bool))
    with pytest.raises(ShapeError, match='question "side"'):
        part_regions(frame, (5, 5), "side")
    with pytest.raises(ShapeError, match='question "color"'):
        part_regions(frame, (5, 5), "color")
