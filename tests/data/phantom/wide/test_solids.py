import numpy as np
import pytest

from spinexplain.data.phantom.canvas import Canvas
from spinexplain.data.phantom.grids import affine_grid
from spinexplain.data.phantom.wide.solids import (
    Solid,
    chain,
    distance_to,
    ellipsoid,
    joined,
    paint_solid,
)


def test_a_ball_fills_its_volume(canvas):
    c = canvas()
    paint_solid(c, Solid(np.zeros((1, 3)), np.array([6.0]), hu=100.0, texture_hu=0.0))
    assert c.hu.sum() / 100 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.02)
    assert c.hu[10, 10, 10] == 100
    assert c.hu[0].max() == 0


def test_a_rim_lies_inside_the_surface(canvas):
    c = canvas()
    paint_solid(
        c,
        Solid(np.zeros((1, 3)), np.array([7.0]), 50.0, rim_hu=900.0, rim_mm=2.0, texture_hu=0.0),
    )
    line = c.hu[10, 10, 10:]
    assert line[0] == line[4] == 50
    assert line[6] == 900
    assert line[9] == 0


def test_distance_is_signed_and_far_from_all_balls_large(canvas):
    index, distance = distance_to(canvas().grid, ellipsoid((0, 0, 0), (4, 4, 4), 1.0))
    middle = tuple(10 - part.start for part in index)
    assert distance[middle] == pytest.approx(-4.0)
    assert distance[middle[0] + 6, middle[1], middle[2]] == pytest.approx(2.0)


def test_what_lies_outside_the_grid_is_not_painted(canvas):
    assert distance_to(canvas().grid, ellipsoid((500, 0, 0), (4, 4, 4), 1.0)) is None


def test_gas_stands_above_a_level(canvas):
    c = canvas()
    bag = Solid(np.zeros((1, 3)), np.array([8.0]), hu=20.0, texture_hu=0.0, level_mm=2.5)
    paint_solid(c, bag)
    assert c.hu[10, 10, 10] == 20
    assert c.hu[10, 15, 10] == -960


def test_the_balls_of_a_chain_overlap():
    centers, radii = joined(chain([(0, 0, 0), (0, 0, 30)], [3.0, 6.0]), chain([(0, 0, 0)] * 2, 2.0))
    steps = np.linalg.norm(np.diff(centers[:-1], axis=0), axis=1)
    assert steps.max() < 3.0
    assert radii.min() == 2
    assert radii.max() == 6


def test_an_oblique_grid_paints_the_same_ball(canvas):
    straight = canvas()
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    affine = turn @ straight.grid.affine
    turned = canvas()
    turned = Canvas(**{**vars(turned), "grid": affine_grid(affine, (21, 21, 21))})
    solid = Solid(np.zeros((1, 3)), np.array([6.0]), hu=100.0, texture_hu=0.0)
    for c in (straight, turned):
        paint_solid(c, solid)
    assert turned.hu.sum() == pytest.approx(straight.hu.sum(), rel=0.01)
