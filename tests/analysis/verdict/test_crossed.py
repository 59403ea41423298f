"""Candidates out of fold: who sees which spines, and when a gain counts."""

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.candidates import Candidate
from spinexplain.analysis.verdict.crossed import crossed_comparison, out_of_fold


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    spine = np.repeat(np.arange(60), 6)
    grade = np.where((spine % 2 == 1) & (np.arange(360) % 3 == 0), 2, 0)
    return pd.DataFrame(
        {
            "subject": [f"s{k:02d}" for k in spine],
            "normal": spine % 2 == 0,
            "grade": grade,
            "good": 4.0 * (grade == 2) + rng.normal(0, 1, 360),
            "poor": 1.0 * (grade == 2) + rng.normal(0, 1, 360),
        }
    )


def hears(*names):
    return Candidate(lambda rows, chosen, spreads: rows[list(names)].to_numpy(float))


def test_a_better_witness_is_taken_up_and_the_same_is_not(table):
    ways = {"now": hears("poor"), "same": hears("poor"), "more": hears("poor", "good")}
    found = crossed_comparison(table, ways, "now", draws=40)
    assert found["more"]["taken_up"]
    assert found["more"]["suspected"]["low"] > 0.05
    assert found["same"]["suspected"]["gain"] == 0
    assert not found["same"]["taken_up"]
    assert not found["now"]["taken_up"]


def test_no_spine_is_judged_by_a_fit_to_itself(table):
    seen = []

    def voices(rows, chosen, spreads):
        if rows is not chosen:
            seen.append((set(rows["subject"]), set(chosen["subject"])))
        return rows[["good"]].to_numpy(float)

    odds = out_of_fold(table, Candidate(voices), 0)
    assert np.isfinite(odds).all()
    assert len(seen) == 10
    assert all(not asked & fitted for asked, fitted in seen)
    assert set.union(*(asked for asked, _ in seen)) == set(table["subject"])
