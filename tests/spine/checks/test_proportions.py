import warnings

import numpy as np
import pytest

from spinexplain.io.scan_flags import ScanWarning
from spinexplain.spine.checks.proportions import check_proportions
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.types import LabelMap


def stretched(labels: LabelMap, factor: float) -> LabelMap:
    """The mask with another distance of its slices."""
    affine = labels.affine.copy()
    affine[:3, 2] *= factor
    return LabelMap(labels.array, affine)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_people_differ_that_much(drawn_scan, factor):
    labels = stretched(drawn_scan.labels, factor)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_proportions(labels, vertebrae_from_mask(labels)) == set()


@pytest.mark.parametrize(("factor", "word"), [(0.5, "close"), (2.0, "far")])
def test_slices_at_half_or_twice_their_distance(drawn_scan, factor, word):
    labels = stretched(drawn_scan.labels, factor)
    found = vertebrae_from_mask(labels)
    with pytest.warns(ScanWarning, match=rf"mm wide and .* mm apart, .* times too {word}"):
        assert check_proportions(labels, found) == {v.level for v in found}


def test_two_levels_say_nothing(drawn_scan):
    labels = stretched(drawn_scan.labels, 0.4)
    assert check_proportions(labels, vertebrae_from_mask(labels)[:2]) == set()
    assert not np.any([check_proportions(labels, [])])
