import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from spinexplain.spline import NaturalSpline


@pytest.mark.parametrize("n", [2, 3, 4, 30])
def test_it_is_the_natural_spline_of_scipy(n):
    rng = np.random.default_rng(n)
    t, points = np.cumsum(rng.uniform(5.0, 30.0, n)), rng.normal(0.0, 100.0, (n, 3))
    ours, known = NaturalSpline(t, points), CubicSpline(t, points, bc_type="natural")
    at = np.linspace(t[0], t[-1], 200).reshape(4, 50)
    np.testing.assert_allclose(ours(at), known(at), atol=1e-9)
    np.testing.assert_allclose(ours(at, 1), known(at, 1), atol=1e-9)
    np.testing.assert_allclose(ours(t), points, atol=1e-9)


def test_a_single_parameter_gives_a_single_point():
    spline = NaturalSpline(np.array([0.0, 2.0]), np.array([[0.0, 4.0], [2.0, 8.0]]))
    assert spline(np.array(1.0)).tolist() == [1.0, 6.0]
    assert spline(np.array(1.0), 1).tolist() == [1.0, 2.0]
