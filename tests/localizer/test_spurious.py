from dataclasses import replace

import numpy as np
import pytest

from spinexplain.localizer.naming import NONE, STATES, NamingPrior, name_chain
from spinexplain.localizer.spurious import name_centers, no_body

GAP_MM = 25.0
PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES), level_weight=1.0, gap_weight=1.0)
NAMES = ("T10", "T11", "T12", "L1", "L2")


def sure(count, found=0.95):
    return np.full(count, found)


def evidence(names, sure=0.9):
    rows = np.full((len(names), len(STATES)), (1 - sure) / len(STATES))
    for row, name in enumerate(names):
        rows[row, STATES.index(name)] += sure
    return np.log(rows)


def test_a_plain_chain_is_named_as_without_spurious_centers():
    gaps = np.full(4, GAP_MM)
    first = name_centers(evidence(NAMES), gaps, sure(5), PRIOR)[0]
    assert first.states == name_chain(evidence(NAMES), gaps, PRIOR)[0].states == NAMES
    assert first.probability > 0.9


@pytest.mark.parametrize("at", [1, 3])
def test_a_center_between_two_bodies_is_no_vertebra(at):
    """Ten millimeters below one body and fifteen above the next there is none."""
    seen = [*NAMES[:at], NAMES[at], *NAMES[at:]]
    gaps = np.full(4, GAP_MM)
    gaps = np.r_[gaps[: at - 1], 10.0, 15.0, gaps[at:]]
    first = name_centers(evidence(seen, 0.6), gaps, sure(6), PRIOR)[0]
    assert first.states == (*NAMES[:at], NONE, *NAMES[at:])
    assert [level is None for level in first.levels].index(True) == at


def test_probabilities_are_shares_among_all_ways():
    rows = evidence(NAMES, 0.3)
    found = name_centers(rows, np.full(4, GAP_MM), sure(5), PRIOR)
    odds = [one.probability for one in found]
    assert odds == sorted(odds, reverse=True)
    assert sum(odds) <= 1 + 1e-9
    rarer = PRIOR.__class__(**{**vars(PRIOR), "spurious": 1e-9})
    plain = name_chain(rows, np.full(4, GAP_MM), PRIOR)
    assert name_centers(rows, np.full(4, GAP_MM), sure(5), rarer)[0].probability == pytest.approx(
        plain[0].probability, rel=1e-6
    )


def test_a_center_that_was_read_surely_is_rather_a_vertebra():
    """An eleventh to thirteenth level at even distances, one of which the levels do not show."""
    names = ("T11", "T12", "T12", "L1", "L2")
    gaps = np.array([GAP_MM, 12.0, 13.0, GAP_MM])
    heeding = replace(PRIOR, found_weight=1.0)
    doubtful, clear = (np.where(np.arange(5) == 2, f, 0.95) for f in (0.3, 0.98))
    left_out = [
        sum(one.probability for one in found if NONE in one.states)
        for found in (
            name_centers(evidence(names, 0.6), gaps, f, heeding, best=40) for f in (doubtful, clear)
        )
    ]
    assert left_out[0] > left_out[1]
    assert no_body(doubtful, heeding)[2] > heeding.spurious > no_body(clear, heeding)[2]
    assert no_body(doubtful, PRIOR).tolist() == pytest.approx([PRIOR.spurious] * 5)


def test_one_center_is_never_left_out():
    assert name_centers(evidence(("L3",)), np.zeros(0), sure(1, 0.1), PRIOR)[0].states == ("L3",)
