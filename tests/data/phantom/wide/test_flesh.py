import numpy as np

from spinexplain.data.phantom.wide.flesh import draw_chest, slabs


def test_slabs_cover_a_canvas_once(canvas):
    c = canvas(n=90)
    count = 0
    for index, part in slabs(c):
        part.hu += 1
        count += 1
        assert part.grid.shape == part.hu.shape
        x, y, z = c.grid.at(index)
        assert np.array_equal(part.grid.z, z)
        assert x.size + y.size
    assert count > 1
    assert (c.hu == 1).all()


def test_lungs_are_air_and_there_is_air_around(coarse):
    hu = coarse.volume.array
    inverse = np.linalg.inv(coarse.volume.affine)

    def at(point):
        return hu[tuple(np.round(inverse[:3, :3] @ point + inverse[:3, 3]).astype(int))]

    marks = coarse.person.marks
    assert all(at(marks.point(5, side * 62, 0)) < -400 for side in (-1, 1))
    assert hu[0, -1].max() < -700
    assert at(coarse.person.centers_mm["L3"]) > -50


def test_some_chests_hold_fluid():
    chests = [draw_chest(np.random.default_rng(k)) for k in range(60)]
    wet = sum(chest.effusion_mm > 0 for chest in chests)
    assert 2 < wet < 25
