import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.models.localizing import LEVEL_CLASSES, LEVELS, OUTSIDE, SACRUM, as_densities


def test_soft_tissue_is_spread_bone_compressed_and_the_rest_held():
    hu = np.array([-3000, -500, 0, 125, 200, 1500, 9000], np.int16)
    found = as_densities(hu)
    assert found.dtype == np.float32
    assert np.allclose(found, [-2.0, -2.0, 0.0, 0.5, 0.8, 3.4, 3.4])


@given(st.floats(-2000, 4000), st.floats(0, 500))
def test_denser_is_never_less(hu, more):
    low, high = as_densities(np.array([hu, hu + more]))
    assert low <= high


def test_a_class_for_every_level_and_two_for_the_rest():
    assert LEVEL_CLASSES[: len(VertebraLevel)] == tuple(level.value for level in VertebraLevel)
    assert LEVEL_CLASSES[-2:] == (SACRUM, OUTSIDE)
    assert LEVELS.stop - LEVELS.start == len(LEVEL_CLASSES)
