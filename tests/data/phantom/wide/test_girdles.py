import numpy as np

from spinexplain.data.phantom.wide.cage import BoneLook
from spinexplain.data.phantom.wide.girdles import draw_pelvis, draw_shoulders

LOOK = BoneLook(700.0, 1.0, 100.0)


def test_the_hips_are_wider_than_the_sacrum_and_below_it(people):
    for person in people[:4]:
        spine = (person.subject.bodies, person.places)
        solids = draw_pelvis(np.random.default_rng(0), spine, person.marks.size, LOOK, (0, 0))
        points = np.concatenate([solid.centers for solid in solids])
        s1, l4 = person.centers_mm["S1"], person.centers_mm["L4"]
        assert points[:, 0].min() < s1[0] - 100 * person.marks.size
        assert points[:, 0].max() > s1[0] + 100 * person.marks.size
        assert points[:, 2].min() < s1[2] - 100
        assert points[:, 2].max() < l4[2] + 60


def test_a_sacralized_level_is_tied_to_the_sacrum(people):
    person = people[0]
    spine = (person.subject.bodies, person.places)
    plain, fused = (
        draw_pelvis(np.random.default_rng(0), spine, person.marks.size, LOOK, sides)
        for sides in ((0, 0), (0.8, 0.0))
    )
    assert len(fused) == len(plain) + 1


def test_raised_arms_lie_above_hanging_ones(people):
    person = people[0]
    heights = []
    for raised in (False, True):
        solids = draw_shoulders(
            np.random.default_rng(0), person.marks, person.outline, LOOK, raised
        )
        heights.append(np.mean([solid.centers[-1, 2] for solid in solids]))
    assert heights[1] > heights[0] + 50
