import numpy as np
import pytest

from spinexplain.types import SideEvidence


@pytest.mark.parametrize(
    ("difference", "side"), [(0.7, "left"), (-0.7, "right"), (0.59, None), (-0.6, "right")]
)
def test_a_side_is_named_from_the_least_difference(difference, side):
    maps = (np.zeros((2, 2)),) * 3
    found = SideEvidence((-8.0, 0.0, 8.0), (1.0, 2.0, 1.0 + difference), maps, difference, 0.6)
    assert found.side == side
