import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.data.phantom.shape import Collapse, Endplate, Notch, heights_mm, plain_body

ZERO = np.zeros(1)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(16.0, 30.0)] * 3))
def test_plain_body_has_the_heights_it_is_given(heights):
    body = plain_body(30.0, 40.0, heights)
    assert heights_mm(body) == pytest.approx(heights, abs=0.3)  # means over bands, not points


def test_collapse_moves_the_three_sites_by_what_it_is_given():
    collapse = Collapse(posterior=1.0, middle=5.0, anterior=3.0)
    t = np.array([0.0, 0.5, 1.0])
    assert collapse.depth(t, np.zeros(3)) == pytest.approx(
        [1.0, 1.0 + 2 / 0.92 * 0.5 + 3.0, 3.0], abs=0.1
    )


def test_a_knee_leaves_the_posterior_part_where_it_is():
    collapse = Collapse(posterior=0.0, middle=2.0, anterior=4.0, knee=0.5, exponent=2.0)
    flat = Collapse(posterior=0.0, middle=2.0, anterior=4.0, knee=0.0, exponent=2.0)
    at = np.array([0.2])
    assert collapse.depth(at, ZERO) < flat.depth(at, ZERO)


def test_displacement_is_never_negative():
    waves = np.array([[3.0, 20.0, 2.0, 0.5]])
    collapse = Collapse(0.2, 0.1, 0.3, waves=waves, step_t=0.4, step_mm=2.0)
    t, lateral = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-1, 1, 9))
    assert collapse.depth(t, lateral).min() >= 0


def test_endplate_by_paper_and_pencil():
    plate = Endplate(posterior=10.0, anterior=8.0, concavity=2.0, exponent=2.0)
    t = np.array([0.0, 0.5, 1.0])
    assert plate.healthy(t, np.zeros(3)).tolist() == [10.0, 7.0, 8.0]
    pitted = Endplate(10.0, 8.0, 2.0, exponent=2.0, notches=(Notch(3.0, 0.5, 0.0, 0.1, 0.3),))
    assert pitted.healthy(np.array([0.5]), ZERO) == pytest.approx([4.0])
    assert plate.displacement(t, np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_a_canted_endplate_is_lower_on_one_side():
    plate = Endplate(10.0, 10.0, 0.0, cant=0.5)
    right, left = plate.healthy(np.array([0.5, 0.5]), np.array([1.0, -1.0]))
    assert (right, left) == (15.0, 5.0)
