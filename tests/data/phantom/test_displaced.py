"""What a fracture moved, against the endplates themselves."""

from dataclasses import replace

import numpy as np

from spinexplain.data.phantom.displaced import displaced
from spinexplain.data.phantom.shape import Collapse, plain_body
from spinexplain.data.phantom.sheets import phantom_sheets


def body_with(upper, lower):
    body = plain_body(30, 40, (25, 25, 25))
    return replace(
        body,
        upper=replace(body.upper, collapse=upper),
        lower=replace(body.lower, collapse=lower),
    )


def test_an_even_collapse_moves_every_sixth_alike():
    moved = displaced(body_with(Collapse(4.0, 4.0, 4.0), None))
    assert np.allclose(moved.superior, 4.0)
    assert np.allclose(moved.inferior, 0.0)
    assert moved.left == moved.right == 4.0


def test_a_lean_to_the_right_moves_the_right_side_more():
    """The right half is read at -0.9 to 0.9 in 18 steps: 0.476 on average, 4 (1 + 0.6 x 0.476)."""
    moved = displaced(body_with(None, Collapse(4.0, 4.0, 4.0, tilt=0.6)))
    assert moved.right > 4.0 > moved.left
    assert np.isclose(moved.right + moved.left, 8.0, atol=2e-3)
    assert np.isclose(moved.right, 4 * (1 + 0.6 * 0.476), atol=5e-3)


def test_walls_are_the_furthest_of_bulge_and_buckle():
    body = replace(body_with(Collapse(1, 1, 1), None), bulge_front=0.5, bulge_back=1.0)
    moved = displaced(replace(body, buckle_mm=(0.2, 0.9, 0.3, 0.1)))
    assert (moved.front_wall, moved.back_wall) == (0.9, 1.0)


def test_the_front_of_a_sheet_has_the_highest_sixths_and_holds_all_evidence():
    for sheet in phantom_sheets("balanced-2", 8, 6):
        codes = sheet.part
        columns = np.indices(codes.shape)[1]
        sixth = (codes.astype(int) - 1) % 6
        inside = (codes > 0) & (sheet.body > 0)
        assert columns[inside & (sixth == 5)].mean() < columns[inside & (sixth == 0)].mean()
        assert np.all(codes[sheet.evidence > 0] > 0)
        assert codes.max() <= 12
