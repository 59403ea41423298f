import numpy as np
import pytest

from spinexplain.data.phantom.wide.subject import make_wide_subject
from spinexplain.geometry import apply_affine


@pytest.fixture(scope="module")
def scan(coarse_wide):
    return make_wide_subject(coarse_wide, 2, 1)


def test_masks_hold_whole_vertebrae_with_their_centers(scan):
    labels = {v.level.verse_label for v in scan.image.vertebrae}
    assert labels
    assert set(np.unique(scan.image.body.array)) == {0, *labels}
    inverse = np.linalg.inv(scan.image.body.affine)
    for v in scan.image.vertebrae:
        at = tuple(np.round(apply_affine(inverse, v.centroid_mm)).astype(int))
        assert scan.image.body.array[at] == v.level.verse_label


def test_truth_goes_with_what_is_shown(scan):
    shown = {v.level.value for v in scan.image.vertebrae}
    assert {fact.level for fact in scan.truth} <= shown
    document = scan.wide
    assert document["bodies"]["S1"]["center_mm"][2] < document["bodies"]["L4"]["center_mm"][2]
    cut = [name for name, one in document["bodies"].items() if 0 < one["in_view"] < 1]
    assert not shown & set(cut)
