import numpy as np

from spinexplain.data.phantom.wide.cage import BoneLook, draw_cage, usual_ribs

LEVELS = tuple(f"T{i}" for i in range(1, 13))


def test_twelve_pairs_as_usual():
    ribs = usual_ribs(LEVELS, 1.0, 0.0, np.ones(12))
    assert tuple(ribs) == LEVELS


def test_without_last_ribs_with_lumbar_ones_and_with_a_thirteenth_pair():
    assert "T12" not in usual_ribs(LEVELS, 0.0, 0.0, np.ones(12))
    assert usual_ribs(LEVELS, 1.0, 0.4, np.ones(12))["L1"] == 0.4
    more = usual_ribs((*LEVELS, "T13"), 0.5, 0.0, np.ones(12))
    assert more["T13"] == 0.5
    assert more["T12"] == 1.0


def test_ribs_sink_to_the_front_and_reach_both_sides(people):
    person = people[1]
    spine = (person.subject.bodies, person.places)
    look = BoneLook(700.0, 1.0, 100.0)
    cage = draw_cage(
        np.random.default_rng(0), spine, person.marks, person.outline, look, {"T6": 1.0}
    )
    bones = cage[1].centers
    root = person.centers_mm["T6"]
    front = bones[np.argmax(bones[:, 1])]
    assert front[2] < root[2] - 40
    assert bones[:, 0].min() < root[0] - 90
    assert bones[:, 0].max() > root[0] + 90


def test_a_short_rib_ends_early(people):
    person = people[1]
    spine = (person.subject.bodies, person.places)
    reach = []
    for length in (0.3, 1.0):
        cage = draw_cage(
            np.random.default_rng(0),
            spine,
            person.marks,
            person.outline,
            BoneLook(700.0, 1.0, 100.0),
            {"T12": length},
        )
        reach.append(np.ptp(cage[0].centers[:, 0]))
    assert reach[0] < reach[1]
