import numpy as np
import pytest

from spinexplain.data.phantom.wide.outline import rounded


def test_rounded_is_one_on_the_axes_and_lies_between_ellipse_and_box():
    assert rounded(np.array(1.0), np.array(0.0)) == 1
    corner = float(rounded(np.array(1.0), np.array(1.0)))
    assert 1 < corner < np.sqrt(2)


def test_cavities_lie_inside_the_skin(people):
    for person in people:
        o = person.outline
        inside = o.cavity[:, 0] > 1
        assert (o.cavity[inside, 0] < o.skin[inside, 0]).all()
        assert (o.cavity[inside, 1] < o.skin[inside, 1]).all()
        assert (o.cavity[inside, 2] > o.skin[inside, 2]).all()


def test_the_spine_lies_inside_the_skin(people):
    for person in people:
        for name, (x, y, z) in person.centers_mm.items():
            middle, deep, half, depth = person.outline.radii(np.array([z]), cavity=False)
            away = rounded(np.abs(x - middle) / half, np.abs(y - deep) / depth)
            assert float(away[0]) < 1, name


def test_points_around_lie_on_the_wall(people):
    o = people[0].outline
    z = people[0].marks.height(6)
    points = o.around(np.array([0.0, np.pi / 2, np.pi]), np.full(3, z), 0.0)
    x, y, half, deep = (float(v) for v in o.radii(np.array(z), cavity=True))
    assert points[0] == pytest.approx([x, y - deep, z], abs=0.01)
    assert points[1] == pytest.approx([x + half, y, z], abs=0.01)
    assert points[2] == pytest.approx([x, y + deep, z], abs=0.01)
