import numpy as np
import pytest

from spinexplain.explainers.dissection.regions import REGIONS, anatomy_regions


def _spine(axes=2):
    """Three blocks 30 wide and 20 high with gaps of 6; an arch behind the middle one."""
    labels = np.zeros((90, 60), np.uint8)
    for code, top in ((19, 4), (20, 30), (21, 56)):
        labels[top : top + 20, 10:40] = code
    body = np.where(labels > 0, labels, 0)
    labels[36:44, 40:50] = 20
    if axes == 3:
        labels, body = (np.repeat(a[..., None], 5, axis=2) for a in (labels, body))
    return labels, body


@pytest.mark.parametrize("axes", [2, 3])
def test_every_part_is_where_it_was_drawn(axes):
    regions = anatomy_regions(*_spine(axes), 20)
    assert set(regions) == set(REGIONS) - {"evidence", "shortcut"}
    extent = {
        name: [(int(i.min()), int(i.max())) for i in np.nonzero(mask)[:2]]
        for name, mask in regions.items()
    }
    assert extent["body"] == [(30, 49), (10, 39)]
    assert extent["superior_endplate"] == [(28, 33), (10, 39)]
    assert extent["inferior_endplate"] == [(46, 51), (10, 39)]
    assert extent["anterior_wall"] == [(30, 49), (8, 13)]
    assert extent["posterior_wall"] == [(30, 49), (36, 41)]
    assert extent["posterior_elements"] == [(36, 43), (40, 49)]
    assert extent["disc_above"] == [(24, 29), (10, 39)]
    assert extent["disc_below"] == [(50, 55), (10, 39)]
    assert not (regions["beside_bone"] & (regions["body"] | regions["disc_above"])).any()
    assert all(mask.dtype == bool for mask in regions.values())


def test_neighbours_are_known_from_labels_where_only_the_own_body_is():
    labels, body = _spine()
    full = anatomy_regions(labels, body, 20)
    own = anatomy_regions(labels, np.where(body == 20, 20, 0), 20)
    np.testing.assert_array_equal(own["disc_below"], full["disc_below"])


def test_a_far_neighbour_leaves_no_disc_and_a_missing_body_no_parts():
    labels, body = _spine()
    labels[:24], body[:24] = 0, 0
    labels[2:6, 10:40] = 19
    regions = anatomy_regions(labels, body, 20)
    assert not regions["disc_above"].any()
    absent = anatomy_regions(labels, body, 24)
    assert not any(absent[name].any() for name in ("body", "superior_endplate", "disc_below"))


def test_without_bodies_only_bone_is_told_apart():
    labels, _ = _spine()
    assert set(anatomy_regions(labels, None, 20)) == {"neighbors", "beside_bone"}
