import numpy as np

from spinexplain.explainers.dissection.overlap import Overlap
from spinexplain.explainers.dissection.suggest import suggested_regions


def _overlap(**places):
    """Regions with (inside, lift) of a single unit."""
    inside, lift = (np.array([[pair[i] for pair in places.values()]]) for i in (0, 1))
    return Overlap(tuple(places), inside, inside, lift)


def test_parts_that_stand_out_are_suggested_strongest_first():
    found = _overlap(
        body=(0.9, 5),
        superior_endplate=(0.3, 4),
        inferior_endplate=(0.05, 9),  # too little of the unit
        disc_above=(0.4, 12),
        neighbors=(0.5, 1.5),  # no more than chance, nearly
    )
    assert suggested_regions(found, 0) == ("disc_above", "superior_endplate")


def test_a_thin_part_stands_out_by_its_lift():
    assert suggested_regions(_overlap(anterior_wall=(0.08, 19)), 0) == ("anterior_wall",)
    assert suggested_regions(_overlap(anterior_wall=(0.08, 9)), 0) == ()


def test_a_planted_mark_overrules():
    found = _overlap(superior_endplate=(0.3, 4), shortcut=(0.1, 30))
    assert suggested_regions(found, 0) == ("shortcut",)


def test_otherwise_the_whole_or_nothing():
    assert suggested_regions(_overlap(body=(0.7, 2)), 0) == ("body",)
    assert suggested_regions(_overlap(beside_bone=(0.8, 1.3)), 0) == ("beside_bone",)
    # The surroundings are most of the crop: 60 % there is less than chance.
    assert suggested_regions(_overlap(beside_bone=(0.6, 0.8)), 0) == ()
    assert suggested_regions(_overlap(body=(0.3, 2)), 0) == ()
    assert suggested_regions(_overlap(), 0) == ()


def test_units_of_known_make(known_dissected):
    overlap = known_dissected.dissection.overlap
    assert suggested_regions(overlap, 0)[0] == "superior_endplate"
    assert suggested_regions(overlap, 4) == ("shortcut",)
    assert suggested_regions(overlap, 1) == ()
