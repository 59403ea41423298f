import numpy as np
import pytest

from spinexplain.localizer.naming import NONE, STATES, NamingPrior, name_chain
from spinexplain.localizer.spurious import name_centers

GAP_MM = 25.0
PRIOR = NamingPrior(gap_mm=(GAP_MM,) * len(STATES), level_weight=1.0, gap_weight=1.0)
NAMES = ("T10", "T11", "T12", "L1", "L2")


def evidence(names, sure=0.9):
    rows = np.full((len(names), len(STATES)), (1 - sure) / len(STATES))
    for row, name in enumerate(names):
        rows[row, STATES.index(name)] += sure
    return np.log(rows)


def test_a_plain_chain_is_named_as_without_spurious_centers():
    gaps = np.full(4, GAP_MM)
    first = name_centers(evidence(NAMES), gaps, PRIOR)[0]
    assert first.states == name_chain(evidence(NAMES), gaps, PRIOR)[0].states == NAMES
    assert first.probability > 0.9


@pytest.mark.parametrize("at", [1, 3])
def test_a_center_between_two_bodies_is_no_vertebra(at):
    """Ten millimeters below one body and fifteen above the next there is none."""
    seen = [*NAMES[:at], NAMES[at], *NAMES[at:]]
    gaps = np.full(4, GAP_MM)
    gaps = np.r_[gaps[: at - 1], 10.0, 15.0, gaps[at:]]
    first = name_centers(evidence(seen, 0.6), gaps, PRIOR)[0]
    assert first.states == (*NAMES[:at], NONE, *NAMES[at:])
    assert [level is None for level in first.levels].index(True) == at


def test_probabilities_are_shares_among_all_ways():
    rows = evidence(NAMES, 0.3)
    found = name_centers(rows, np.full(4, GAP_MM), PRIOR)
    odds = [one.probability for one in found]
    assert odds == sorted(odds, reverse=True)
    assert sum(odds) <= 1 + 1e-9
    rarer = PRIOR.__class__(**{**vars(PRIOR), "spurious": 1e-9})
    plain = name_chain(rows, np.full(4, GAP_MM), PRIOR)
    assert name_centers(rows, np.full(4, GAP_MM), rarer)[0].probability == pytest.approx(
        plain[0].probability, rel=1e-6
    )


def test_one_center_is_never_left_out():
    assert name_centers(evidence(("L3",)), np.zeros(0), PRIOR)[0].states == ("L3",)
