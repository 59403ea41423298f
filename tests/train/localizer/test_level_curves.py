import numpy as np

from spinexplain.geometry import fit_curve
from spinexplain.train.localizer.fields import SeenBox
from spinexplain.train.localizer.level_curves import disturbed_curve, settled_curve

ALL = SeenBox(np.full(3, -900.0), np.full(3, 900.0))
DOWN = np.array([0.0, 0.0, -1.0])


def off(curve, centers):
    return np.linalg.norm(curve.at(curve.nearest(centers)) - centers, axis=1)


def test_disturbed_curves_stay_near_the_spine(drawn_body):
    away = [
        off(disturbed_curve(drawn_body, ALL, np.random.default_rng(k)), drawn_body.centers_mm)
        for k in range(20)
    ]
    means = [one.mean() for one in away]
    assert 2.0 < np.median(means) < 12.0
    assert max(means) < 30.0


def test_settled_curves_lie_on_the_bodies(drawn_body):
    graded = [level[0] in "TL" for level in drawn_body.levels]
    before, after = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        curve = disturbed_curve(drawn_body, ALL, rng)
        settled = settled_curve(drawn_body, ALL, curve, rng)
        before.append(np.median(off(curve, drawn_body.centers_mm[graded])))
        after.append(np.median(off(settled, drawn_body.centers_mm[graded])))
    assert np.median(after) < 2.5 < np.median(before)


def test_a_curve_that_lost_the_spine_stays_lost(drawn_body):
    lost = fit_curve(drawn_body.centers_mm + np.array([60.0, 0, 0]), DOWN)
    assert settled_curve(drawn_body, ALL, lost, np.random.default_rng(0)) is lost


def test_a_curve_without_centers_in_view_stays(drawn_body):
    nothing = SeenBox(np.full(3, 800.0), np.full(3, 900.0))
    curve = fit_curve(drawn_body.centers_mm, DOWN)
    assert settled_curve(drawn_body, nothing, curve, np.random.default_rng(0)) is curve


def test_no_settled_curve_runs_sideways(drawn_body):
    """A section cannot be laid along it."""
    aside = drawn_body.centers_mm.copy()
    aside[:, 0] += np.linspace(0.0, 25.0, len(aside))
    curve = fit_curve(aside, DOWN)
    for seed in range(10):
        settled = settled_curve(drawn_body, ALL, curve, np.random.default_rng(seed))
        s = np.arange(0.0, settled.length_mm, 2.0)
        assert (settled.tangent(s) @ DOWN).min() > 0.4
