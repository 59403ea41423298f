import numpy as np

from spinexplain.data.phantom.raters import rated
from spinexplain.data.shard import SeriesShard, VertebraRow

LOSSES = (0.0, 0.19, 0.2, 0.24, 0.25, 0.39, 0.4, 0.9)


def shard_of(losses):
    rows = [
        VertebraRow(level="L1", subject=f"s{k}", grade="G0", loss=x) for k, x in enumerate(losses)
    ]
    return SeriesShard("phantom", "some", rows, {})


def test_without_error_raters_grade_by_the_thresholds():
    found = rated(shard_of(LOSSES), 0.0, np.random.default_rng(0))
    grades = ["G0", "G0", "G1", "G1", "G2", "G2", "G3", "G3"]
    assert [row.ratings for row in found.rows] == [(grade,) * 3 for grade in grades]
    assert {row.grade for row in found.rows} == {"G0"}


def test_raters_disagree_near_a_threshold_alone():
    found = rated(shard_of([0.25] * 300 + [0.0] * 300), 0.02, np.random.default_rng(0)).rows
    assert 0.3 < np.mean([row.ratings[0] == "G2" for row in found[:300]]) < 0.7
    assert all(row.ratings == ("G0", "G0", "G0") for row in found[300:])
