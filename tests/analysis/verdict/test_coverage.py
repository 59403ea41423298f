"""Coverage counted by hand."""

from math import inf

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.coverage import (
    beyond_terms,
    coverage_figures,
    crossed_sets,
    graded_sets,
    half_of,
    is_beyond,
    sets_by_score,
    widened_where,
)
from spinexplain.findings.grade_set import SeverityScale

RANGES = {"G0": (-inf, 0.0), "G1": (-1.0, 1.0), "G2": (0.0, 3.0), "G3": (2.0, inf)}
SCALES = {
    "prototypes": SeverityScale({"prototypes": 1.0}, RANGES),
    "prototypes+heights": SeverityScale({"prototypes": 1.0, "heights": 1.0}, RANGES),
}


def table():
    rows = [
        ("a", "p1", 0, -3.0, -1.0, -9.0, 10.0),
        ("a", "p2", 1, 0.2, 0.3, -9.0, 10.0),
        ("a", "p3", 2, 2.5, np.nan, -9.0, 90.0),
        ("a", "p4", 3, -5.0, 0.0, -9.0, 10.0),
    ]
    columns = ["group", "subject", "grade", "prototypes", "heights", "prototypes_severe"]
    return pd.DataFrame(rows, columns=[*columns, "image_noise_hu"])


def test_a_row_is_judged_by_those_who_speak():
    sets = graded_sets(table(), SCALES)
    assert sets == [("G0",), ("G1", "G2"), ("G2", "G3"), ("G0",)]
    assert graded_sets(table(), SCALES, ["prototypes"])[0] == ("G0",)


def test_figures_by_hand():
    figures = coverage_figures(table(), graded_sets(table(), SCALES))
    assert figures["covered"] == {"G0": [1, 1], "G1": [1, 1], "G2": [1, 1], "G3": [0, 1]}
    assert figures["sizes"] == {"1": 2, "2": 2, "3": 0, "4": 0}
    assert figures["single_right"] == [1, 2]


def test_only_a_scan_beyond_is_widened():
    usual = {"noise_hu": (5.0, 50.0)}
    beyond = is_beyond(table(), usual)
    assert beyond.tolist() == [False, False, True, False]
    assert beyond_terms(table(), usual) == {"noise_hu": 1}
    assert widened_where([("G0",), ("G1",), ("G2",), ("G3",)], beyond)[2] == ("G1", "G2", "G3")


def test_the_cheap_opponent_takes_scores_until_they_hold_90_percent():
    assert sets_by_score(table()) == [("G0",), ("G0", "G1", "G2"), ("G2",), ("G0",)]


def test_nobody_is_judged_by_ranges_of_the_own_half():
    rows = pd.concat([table().assign(subject=f"s{n}") for n in range(24)], ignore_index=True)
    assert set(half_of(rows)) == {0, 1}
    assert all(len(set(half_of(rows)[rows["subject"] == s])) == 1 for s in set(rows["subject"]))
    own = half_of(rows) == 0
    rows.loc[own & (rows["grade"] == 0), "prototypes"] = 50.0
    sets = crossed_sets(rows, SCALES)
    healthy = (rows["grade"] == 0).to_numpy()
    assert all("G0" not in sets[n] for n in np.flatnonzero(own & healthy))
