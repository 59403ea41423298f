import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.geometry import fit_curve
from spinexplain.spine.curve import centers_mm, coronal_curve, fold_flag, locate, spine_curve
from spinexplain.types import Vertebra


def spine(*points):
    levels = list(VertebraLevel)[18:]  # T12, T13, L1, ...
    return [Vertebra(level, point) for level, point in zip(levels, points, strict=False)]


SPINE = spine((0.0, 0.0, 60.0), (3.0, 5.0, 30.0), (0.0, 2.0, 0.0))


def test_the_curve_passes_the_centers_from_top_to_bottom_whatever_their_order():
    for vertebrae in (SPINE, SPINE[::-1]):
        curve = spine_curve(vertebrae)
        np.testing.assert_allclose(
            curve.at(curve.knots_s_mm), [v.centroid_mm for v in SPINE], atol=1e-2
        )
        assert curve.tangent(30.0)[2] < -0.9
        assert [locate(vertebrae, v) for v in SPINE] == [0, 1, 2]


def test_the_coronal_curve_is_the_view_from_the_front():
    curve = coronal_curve(SPINE)
    np.testing.assert_allclose(curve.knots_mm, centers_mm(SPINE)[:, [0, 2]])
    assert curve.length_mm < spine_curve(SPINE).length_mm


def test_one_vertebra_gives_a_line_straight_down():
    np.testing.assert_allclose(spine_curve(SPINE[:1]).tangent(5.0), [0, 0, -1])
    np.testing.assert_allclose(coronal_curve(SPINE[:1]).at(10.0), [0, 50])


@pytest.mark.parametrize(
    ("vertebrae", "kind", "message"),
    [
        ([], LabelError, "no vertebra is given"),
        ([SPINE[0], SPINE[0]], LabelError, "T12 comes twice"),
        (spine((0, 0, 0), (0, 0, 30)), LabelError, "T12 lies below T13"),
        (spine((0, 0, 9), (0, 0, 9), (0, 0, 1)), GeometryError, "points 0 and 1 .*coincide"),
    ],
)
def test_contradictory_vertebrae_are_one_clear_error(vertebrae, kind, message):
    with pytest.raises(kind, match=message):
        spine_curve(vertebrae)


def test_a_vertebra_from_elsewhere_is_named():
    with pytest.raises(LabelError, match=r"C3 is not among the vertebrae given \(T12, T13, L1\)"):
        locate(SPINE, Vertebra(VertebraLevel.C3, (0.0, 0.0, 0.0)))


def test_a_fold_is_where_the_radius_falls_under_the_reach_of_the_sheets_beside():
    angles = np.linspace(-1.0, 1.0, 15)
    arc = 60 * np.stack([np.cos(angles), -np.sin(angles)], axis=-1)
    curve = fit_curve(arc, np.array([0.0, -1.0]))
    middle = curve.length_mm / 2
    assert not fold_flag(curve, middle, 56.0, 40.0)
    assert fold_flag(curve, middle, 56.0, 66.0)
    assert fold_flag(curve, -20.0, 56.0, 66.0)  # the bend is within the crop's rows
    assert not fold_flag(curve, -80.0, 56.0, 66.0)  # only the straight part above is


def test_a_sheet_that_runs_up_again_shows_a_place_twice():
    angles = np.linspace(-2.0, 2.0, 30)  # over half a circle, wide enough for any body
    curve = fit_curve(
        60 * np.stack([np.cos(angles), -np.sin(angles)], axis=-1), np.array([0.0, -1.0])
    )
    assert fold_flag(curve, 0.0, 56.0, 12.0)
    assert not fold_flag(curve, curve.length_mm / 2, 56.0, 12.0)
