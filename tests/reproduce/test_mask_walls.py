"""Walls and discs of squares, read by hand and painted."""

import numpy as np
import pytest

from spinexplain.evaluate.explanations.parts import body_frame
from spinexplain.reproduce.mask_walls import (
    COLUMNS,
    FAR_MM,
    features_of,
    painted,
    read_by_hand,
    walls_of,
)

SIDE = 64


@pytest.fixture
def sheet():
    """A body of 20 x 30 mm whose superior endplate lacks 6 mm in front; discs of 5 and 4 mm."""
    body, beside = np.zeros((2, SIDE, SIDE), bool)
    body[22:42, 16:46] = True
    body[22:28, 16:26] = False
    beside[7:17, 16:46] = True
    beside[46:56, 16:46] = True
    return body, beside


def read(body, beside):
    frame = body_frame(body)
    return walls_of(body[None], beside[None], (frame,)), frame


def test_walls_and_discs_are_those_of_the_squares(sheet):
    body, beside = sheet
    whole = body.copy()
    whole[22:28, 16:26] = True
    walls, frame = read(whole, beside)
    assert np.abs(frame.directions - [[-1, 0], [0, -1]]).max() < 0.01
    np.testing.assert_allclose(walls.heights[0], 10, atol=0.6)
    np.testing.assert_allclose(walls.discs[0, 0], 5, atol=0.6)
    np.testing.assert_allclose(walls.discs[0, 1], 4, atol=0.6)


def test_a_sunken_front_is_read_in_its_endplate_and_third(sheet):
    walls, _ = read(*sheet)
    parts = read_by_hand(walls)[0]
    assert np.unravel_index(parts.argmax(), parts.shape) == (0, 0)
    upside_down, _ = read(*(mask[::-1] for mask in sheet))
    turned = read_by_hand(upside_down)[0]
    assert np.unravel_index(turned.argmax(), turned.shape) == (1, 0)


def test_where_no_neighbor_is_seen_the_disc_counts_as_far(sheet):
    walls, _ = read(sheet[0], np.zeros_like(sheet[1]))
    assert (walls.discs == FAR_MM).all()


def test_trees_see_every_column_of_walls_and_discs(sheet):
    walls, _ = read(*sheet)
    assert features_of(walls).shape == (1, 4 * 2 * COLUMNS + 3 * COLUMNS + 1)


def test_parts_are_painted_on_their_side_of_the_body(sheet):
    whole = sheet[0].copy()
    whole[22:28, 16:26] = True
    frame = body_frame(whole)
    map_ = painted(np.array([[1.0, 0, 0], [0, 0, 2]]), frame, (SIDE, SIDE))
    assert map_[30, 18] == 1.0
    assert map_[30, 44] == 0.0
    assert map_[40, 44] == 2.0
    assert map_[0, 0] == 0.0
