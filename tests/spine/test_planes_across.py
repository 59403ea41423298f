"""Planes across a curve stand at right angles to it."""

import numpy as np

from spinexplain.geometry import fit_curve
from spinexplain.spine.planes_across import across


def test_planes_are_square_to_a_bent_curve():
    t = np.linspace(0, 1, 6)
    knots = np.column_stack([5 * t, 30 * np.sin(2 * t), -150 * t])
    curve = fit_curve(knots, np.array([0.0, 0.0, -1.0]))
    s = np.array([20.0, 80.0])
    forward, left = np.array([0.0, 10.0]), np.array([-6.0, 0.0, 6.0])
    points = across(curve, s, forward, left)
    assert points.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(points[:, 0, 1], curve.at(s), atol=1e-9)
    ahead = points[:, 1, 1] - points[:, 0, 1]
    aside = points[:, 0, 2] - points[:, 0, 1]
    for vectors, length in ((ahead, 10.0), (aside, 6.0)):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), length)
        np.testing.assert_allclose(np.sum(vectors * curve.tangent(s), axis=1), 0, atol=1e-9)
    assert (ahead[:, 1] > 0).all()  # to the front
    assert (aside[:, 0] < 0).all()  # to the patient's left
