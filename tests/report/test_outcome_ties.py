from dataclasses import replace

import numpy as np

from spinexplain.report.outcome_ties import outcome_ties


def _dissection(dissection, **columns):
    facts = {**dissection.facts, "true_positives": 9, "false_positives": 2, "false_negatives": 0}
    statistics = replace(dissection.statistics, **columns)
    return replace(dissection, statistics=statistics, facts=facts)


def test_the_strongest_ties_of_ranked_units_come_first(known_dissected):
    found = outcome_ties(
        _dissection(
            known_dissected.dissection,
            rank=np.array([2, 0, 1, 3, 4]),
            true_positive=np.array([0.5, 0.9, 0.5, -0.2, 0.75]),
            false_positive=np.array([0.0, 0.0, -0.1, 0.0, 0.0]),
            false_negative=np.full(5, np.nan),
        ),
        count=2,
    )
    assert [item.outcome for item in found] == ["true_positive", "false_positive", "false_negative"]
    assert [item.vertebrae for item in found] == [9, 2, 0]
    assert [(tie.unit, tie.points) for tie in found[0].ties] == [(4, 75.0), (2, 50.0)]
    assert found[0].ties[0].title == "Unit 4"
    assert found[1].ties == found[2].ties == ()
