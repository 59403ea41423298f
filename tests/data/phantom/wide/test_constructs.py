import numpy as np

from spinexplain.data.phantom.wide.constructs import draw_construct, draw_devices, draw_table


def constructs(person, n=40):
    spine = (person.subject.bodies, person.places)
    return [draw_construct(np.random.default_rng(k), spine, person.marks.size) for k in range(n)]


def test_every_kind_is_drawn_at_named_levels(people):
    drawn = constructs(people[0])
    assert {one.kind for one in drawn} == {"screws", "cement", "cage", "plate"}
    names = people[0].subject.names
    for one in drawn:
        at = [names.index(level) for level in one.levels]
        assert at == list(range(at[0], at[0] + len(at)))


def test_screws_and_cement_lie_at_their_levels(people):
    person = people[0]
    for one in constructs(person, 20):
        z = [person.centers_mm[level][2] for level in one.levels]
        for solid in one.solids:
            assert solid.centers[:, 2].min() > min(z) - 60
            assert solid.centers[:, 2].max() < max(z) + 60


def test_the_table_lies_under_the_back(people):
    person = people[0]
    table = draw_table(np.random.default_rng(0), person.outline)[0]
    middle = np.abs(table.centers[:, 0]) < 60
    assert table.centers[middle, 1].max() < person.outline.skin[3:, 2].min() + 5


def test_devices_are_drawn_for_some(people):
    person = people[0]
    counts = [
        len(draw_devices(np.random.default_rng(k), person.marks, person.outline)) for k in range(30)
    ]
    assert min(counts) == 0
    assert max(counts) > 2
