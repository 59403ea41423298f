import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.geometry import BoxFrame
from spinexplain.spine.sampling import sample_volume
from spinexplain.spine.straight_sampling import axis_weights, sampled_straight
from spinexplain.types import Volume


def scan(rng, shape, spacing_mm, order, signs):
    """Return a random scan whose axes run along the patient's in some order and direction."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, list(order)] * np.array(spacing_mm) * np.array(signs)
    affine[:3, 3] = rng.normal(0, 5, 3)
    return Volume(rng.integers(-1000, 1500, shape).astype(np.int16), affine)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    spacing_mm=st.tuples(*[st.sampled_from([0.7, 1.6, 2.0, 5.0])] * 3),
    order=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    is_fortran=st.booleans(),
)
def test_it_samples_as_points_do(seed, spacing_mm, order, signs, is_fortran):
    rng = np.random.default_rng(seed)
    volume = scan(rng, (13, 9, 11), spacing_mm, order, signs)
    if is_fortran:
        volume = Volume(np.asfortranarray(volume.array), volume.affine)
    middle = volume.affine[:3, :3] @ [6, 4, 5] + volume.affine[:3, 3]
    frame = BoxFrame(middle + rng.normal(0, 4, 3), np.eye(3), (6, 8, 7), 4.0)
    expected, _ = sample_volume(volume, frame)
    assert np.allclose(sampled_straight(volume, frame), expected, atol=0.01)


def test_an_oblique_scan_is_left_to_points():
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    volume = Volume(np.zeros((4, 4, 4), np.int16), turn)
    assert sampled_straight(volume, BoxFrame(np.zeros(3), np.eye(3), (2, 2, 2), 4.0)) is None


def test_a_frame_beside_the_scan_is_air():
    volume = Volume(np.zeros((4, 4, 4), np.int16), np.eye(4))
    beside = BoxFrame(np.array([50.0, 0, 0]), np.eye(3), (2, 2, 2), 4.0)
    assert (sampled_straight(volume, beside) == -1000).all()


@pytest.mark.parametrize("sigma", [0.0, 0.4, 1.5])
def test_weights_of_a_sample_sum_to_one(sigma):
    weights = axis_weights(np.linspace(-2, 12, 23), 9, sigma)
    assert np.allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    assert weights.min() >= 0
