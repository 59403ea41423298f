import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.errors import GeometryError
from spinexplain.geometry import BoxFrame, SheetFrame, apply_affine, box_axes, fit_curve

DOWN = np.array([0.0, 0.0, -1.0])
DOWN_2D = np.array([0.0, -1.0])


def circle(radius, count=9, span=1.2):
    """Knots on an arc in the plane, running downwards, and its true length."""
    angles = np.linspace(-span / 2, span / 2, count)
    return radius * np.stack([np.cos(angles), -np.sin(angles)], axis=-1), radius * span


sideways = st.lists(st.floats(-12, 12), min_size=2, max_size=9)


def wavy(offsets):
    """A coronal curve whose knots, 30 mm apart, sway by up to 12 mm."""
    return fit_curve(np.array([[x, -30.0 * i] for i, x in enumerate(offsets)]), DOWN_2D)


class TestCurve:
    @given(sideways)
    @settings(max_examples=40, deadline=None)
    def test_passes_through_its_knots(self, offsets):
        curve = wavy(offsets)
        np.testing.assert_allclose(curve.at(curve.knots_s_mm), curve.knots_mm, atol=5e-3)

    @given(sideways)
    @settings(max_examples=40, deadline=None)
    def test_a_step_of_arc_length_is_a_step_in_space(self, offsets):
        curve = wavy(offsets)
        s = np.arange(-20.0, curve.length_mm + 20.0, 0.5)
        steps = np.linalg.norm(np.diff(curve.at(s), axis=0), axis=1)
        np.testing.assert_allclose(steps, 0.5, atol=5e-3)
        np.testing.assert_allclose(np.linalg.norm(curve.tangent(s), axis=1), 1.0)

    @given(sideways, st.floats(-60, 300), st.floats(-10, 10))
    @settings(max_examples=60, deadline=None)
    def test_nearest_finds_the_foot_of_a_point_beside_it(self, offsets, s, distance):
        curve = wavy(offsets)
        s = min(s, curve.length_mm + 60)
        tangent = curve.tangent(s)
        point = curve.at(s) + distance * np.array([tangent[1], -tangent[0]])
        assert curve.nearest(point) == pytest.approx(s, abs=0.02)

    def test_an_arc_has_its_length_and_curvature(self):
        knots, length = circle(100.0)
        curve = fit_curve(knots, DOWN_2D)
        assert curve.length_mm == pytest.approx(length, abs=0.1)
        assert curve.curvature_per_mm(length / 2) == pytest.approx(1 / 100, rel=0.03)
        assert curve.curvature_per_mm(length + 30) == 0

    def test_is_straight_past_its_ends(self):
        curve = fit_curve(circle(80.0)[0], DOWN_2D)
        for s, way in ((0.0, -1), (curve.length_mm, 1)):
            expected = curve.at(s) + way * 40 * curve.tangent(s)
            np.testing.assert_allclose(curve.at(s + way * 40), expected)

    def test_one_knot_gives_a_straight_line_downwards(self):
        line = fit_curve(np.array([[1.0, 2.0, 3.0]]), DOWN)
        np.testing.assert_allclose(line.at([-10.0, 0.0, 10.0])[:, 2], [13, 3, -7])
        np.testing.assert_allclose(line.tangent(np.zeros(2)), [DOWN, DOWN])
        assert line.nearest(np.array([5.0, 5.0, -4.0])) == pytest.approx(7.0)
        assert line.curvature_per_mm(0.0) == 0

    def test_coinciding_knots_are_named(self):
        with pytest.raises(GeometryError, match="points 1 and 2"):
            fit_curve(np.array([[0.0, 60], [0.0, 30], [0.0, 30]]), DOWN_2D)


@given(
    sideways,
    st.floats(0, 95),
    st.floats(0, 63),
    st.floats(-12, 12),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.sampled_from([0.0, -8.0, 8.0]),
)
@settings(max_examples=100, deadline=None)
def test_sheet_index_and_millimeters_are_inverse(offsets, row, column, off, spacing, shift):
    frame = SheetFrame(wavy(offsets), 20.0, -7.0, (96, 64), spacing, shift)
    index = np.array([row, column, off])
    np.testing.assert_allclose(frame.to_patch(frame.to_mm(index)), index, atol=0.1)


def test_a_straight_sheet_by_hand():
    """Center L1 at (5, 7, 100): a row down is 2 mm caudal, a column 2 mm posterior."""
    line = fit_curve(np.array([[5.0, 130.0], [5.0, 70.0]]), DOWN_2D)
    frame = SheetFrame(line, 30.0, 7.0, (11, 11), 2.0)
    np.testing.assert_allclose(frame.to_mm([5.0, 5.0]), [5, 7, 100])
    np.testing.assert_allclose(frame.to_mm([6.0, 8.0]), [5, 1, 98])
    np.testing.assert_allclose(frame.to_mm([5.0, 5.0, 4.0]), [1, 7, 100])  # left is -x
    np.testing.assert_allclose(frame.to_patch([3.0, 7.0, 100.0]), [5, 5, 2], atol=1e-6)
    shifted = SheetFrame(line, 30.0, 7.0, (11, 11), 2.0, offset_mm=4.0)
    np.testing.assert_allclose(shifted.to_mm([5.0, 5.0]), [1, 7, 100])
    np.testing.assert_allclose(shifted.to_patch([1.0, 7.0, 100.0]), [5, 5, 0], atol=1e-6)


@given(
    st.tuples(st.floats(-0.7, 0.7), st.floats(-0.9, 0.9)),
    st.tuples(*[st.floats(-200, 200)] * 3),
    st.sampled_from([0.5, 1.0, 1.7]),
)
@settings(max_examples=100, deadline=None)
def test_box_index_and_millimeters_are_inverse(tilt, point, spacing):
    axes = box_axes(np.array([tilt[0], tilt[1], -1.0]))
    frame = BoxFrame(np.array([3.0, -40.0, 500.0]), axes, (9, 8, 7), spacing)
    np.testing.assert_allclose(frame.to_patch(frame.to_mm(np.array(point))), point, atol=1e-9)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(np.linalg.det(box_axes(DOWN)))
    assert axes[2, 0] < 0  # the last axis runs to the patient's left
    assert axes[1, 1] < 0  # the middle one backwards
    assert axes[0, 2] < 0  # the first one downwards


def test_a_box_axis_follows_the_tangent():
    tangent = np.array([0.1, 0.3, -0.9])
    unit = tangent / np.linalg.norm(tangent)
    np.testing.assert_allclose(box_axes(tangent)[0], unit)


def test_a_spine_running_left_to_right_is_refused():
    with pytest.raises(GeometryError, match="left-right"):
        box_axes(np.array([1.0, 0.05, 0.0]))


def test_box_axes_of_many_tangents_are_those_of_each():
    tangents = np.random.default_rng(0).normal(size=(2, 7, 3)) * [0.3, 1.0, 1.0]
    axes = box_axes(tangents)
    assert axes.shape == (2, 7, 3, 3)
    for place in np.ndindex(2, 7):
        np.testing.assert_array_equal(axes[place], box_axes(tangents[place]))


def test_a_sideways_tangent_among_others_is_named():
    with pytest.raises(GeometryError, match=r"tangent \[1.0, 0.05, 0.0\]"):
        box_axes(np.array([[0.0, 0, -1], [1.0, 0.05, 0.0]]))


def test_apply_affine_maps_any_leading_shape():
    affine = np.array([[0, 2.0, 0, 1], [3.0, 0, 0, 2], [0, 0, 1.0, 3], [0, 0, 0, 1]])
    points = np.arange(24.0).reshape(2, 4, 3)
    expected = np.stack([2 * points[..., 1] + 1, 3 * points[..., 0] + 2, points[..., 2] + 3], -1)
    np.testing.assert_allclose(apply_affine(affine, points), expected)
