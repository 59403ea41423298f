import numpy as np
import pytest

from spinexplain.localizer.body_frame import BODY_SHAPE
from spinexplain.train.localizer.body_crops import body_crops


@pytest.fixture(scope="module")
def crops():
    return body_crops("verse-like-2", seed=3, index=1, per_body=1)


def test_every_crop_shows_a_body_in_its_middle_with_bone_at_its_edge(crops):
    assert 5 <= len(crops) <= 7
    for crop in crops:
        assert crop.hu.shape == crop.own.shape == crop.others.shape == BODY_SHAPE
        inside = crop.own > 127
        place = np.argwhere(inside).mean(axis=0)
        assert np.all(np.abs(place - (np.array(BODY_SHAPE) - 1) / 2) < (8, 9, 8))
        assert 4_000 < inside.sum() * 1.25**3 < 80_000
        assert crop.hu[inside].mean() > crop.hu[(crop.own == 0) & (crop.others == 0)].mean() + 80


def test_own_and_other_bodies_do_not_overlap_and_neighbors_are_seen(crops):
    for crop in crops:
        assert np.max(crop.own.astype(int) + crop.others) <= 256
        above, below = crop.others[:8] > 127, crop.others[-8:] > 127
        assert above.any() or below.any()


def test_the_same_person_gives_the_same_crops(crops):
    again = body_crops("verse-like-2", seed=3, index=1, per_body=1)
    assert all(np.array_equal(a.hu, b.hu) for a, b in zip(crops, again, strict=True))
