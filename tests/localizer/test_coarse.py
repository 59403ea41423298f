import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.geometry import apply_affine
from spinexplain.localizer.coarse import coarsened, padded, whole_field
from spinexplain.types import Volume


def ramp(shape, affine, dtype=np.int16):
    """A scan whose HU are 2 x + 3 y - z in patient mm."""
    index = np.moveaxis(np.indices(shape), 0, -1)
    mm = apply_affine(affine, index.astype(float))
    return Volume((mm @ [2.0, 3.0, -1.0]).round().astype(dtype), affine)


@settings(max_examples=15, deadline=None)
@given(
    steps=st.tuples(*[st.floats(0.6, 3.0)] * 3),
    angle=st.floats(-0.3, 0.3),
    fortran=st.booleans(),
)
def test_block_means_stay_where_they_are(steps, angle, fortran):
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = turn @ np.diag([-steps[0], steps[1], steps[2], 1.0])
    scan = ramp((17, 12, 14), affine)
    if fortran:
        scan = Volume(np.asfortranarray(scan.array), affine)
    coarse = coarsened(scan)
    expected = ramp(coarse.array.shape, coarse.affine)
    assert np.abs(coarse.array - expected.array).max() <= 2
    assert max(coarse.spacing_mm) <= max(2.4, *steps) + 1e-6


def test_block_means_are_the_means_of_their_blocks():
    rng = np.random.default_rng(0)
    array = rng.integers(-1000, 2000, (7, 9, 8)).astype(np.int16)
    coarse = coarsened(Volume(array, np.diag([1.0, 0.7, 4.0, 1.0])))
    assert coarse.array.shape == (3, 3, 8)
    block = array[2:4, 3:6, 5].mean()
    assert coarse.array[1, 1, 5] == pytest.approx(block, abs=0.5)


def test_the_whole_field_runs_along_the_patients_axes():
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    affine[:3, 3] = [60.0, 50.0, -20.0]
    scan = ramp((40, 30, 30), affine)
    whole = whole_field(scan)
    assert np.allclose(whole.affine[:3, :3], np.eye(3) * 4.0)
    expected = ramp(whole.array.shape, whole.affine, np.float64)
    inside = whole.array > -999
    assert inside.mean() > 0.8
    inner = (slice(2, -2),) * 3
    assert np.abs(whole.array - expected.array)[inner].max() < 4


def test_padding_goes_to_the_end():
    wide = padded(np.ones((3, 8)), 8, -1.0)
    assert wide.shape == (8, 8)
    assert wide[:3].min() == 1.0
    assert wide[3:].max() == -1.0
