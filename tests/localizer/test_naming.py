from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.localizer.naming import (
    SIZES,
    STATES,
    NamingPrior,
    level_evidence,
    name_chain,
    transitions,
)
from spinexplain.models.localizing import LEVEL_CLASSES

GAPS = tuple(14.0 + 0.9 * k for k in range(len(STATES)))
PRIOR = NamingPrior(gap_mm=GAPS, level_weight=1.0, gap_weight=1.0)


def evidence(names, sure=0.9):
    rows = np.full((len(names), len(STATES)), (1 - sure) / len(STATES))
    for row, name in enumerate(names):
        rows[row, STATES.index(name)] = sure
    return np.log(rows)


def gaps(names, size=1.0):
    return np.array([GAPS[STATES.index(name)] * size for name in names[:-1]])


def by_hand(unary, gaps_mm, prior):
    """Score every naming there is, one after the other."""
    odds, gap = transitions(prior)
    size_odds = np.exp(-0.5 * (SIZES / prior.size_spread) ** 2)
    size_odds = size_odds / size_odds.sum()
    begins = {STATES.index("T13"): np.log(prior.t13), STATES.index("L6"): np.log(prior.l6)}
    scores = {}
    for states in product(range(len(STATES)), repeat=len(unary)):
        own = sum(prior.level_weight * unary[k][state] for k, state in enumerate(states))
        total = np.full(len(SIZES), own + begins.get(states[0], 0.0))
        for k in range(len(states) - 1):
            i, j = states[k], states[k + 1]
            if odds[i, j] < -100:  # no such step: the naming cannot be
                break
            off = (np.log(gaps_mm[k]) - np.log(gap[i, j]) - SIZES) / prior.gap_spread
            total = total + odds[i, j] - prior.gap_weight * 0.5 * off**2
        else:
            scores[states] = float((size_odds * np.exp(total)).sum())
    total = sum(scores.values())
    return {states: score / total for states, score in scores.items() if score > 0}


@pytest.mark.parametrize("seed", range(3))
def test_the_best_namings_are_those_of_all_namings(seed):
    rng = np.random.default_rng(seed)
    unary = np.log(rng.dirichlet(np.full(len(STATES), 0.3), size=3) + 1e-3)
    between = np.array([20.0, 33.0]) * rng.uniform(0.8, 1.2, 2)
    every = by_hand(unary, between, PRIOR)
    best = sorted(every.items(), key=lambda pair: -pair[1])[:5]
    found = name_chain(unary, between, PRIOR)
    for hypothesis, (states, probability) in zip(found, best, strict=True):
        assert hypothesis.probability == pytest.approx(probability, rel=1e-6)
        assert hypothesis.states == tuple(STATES[k] for k in states)


def test_a_plain_lumbar_spine_is_named_by_its_evidence():
    names = ("T12", "L1", "L2", "L3", "L4", "L5", "S")
    first = name_chain(evidence(names), gaps(names), PRIOR)[0]
    assert first.states == names
    assert first.levels[-1] is None
    assert first.probability > 0.9


def test_six_lumbar_bodies_between_ribs_and_sacrum_end_in_l6():
    names = ("T11", "T12", "L1", "L2", "L3", "L4", "L5", "L6", "S")
    rows = evidence(names, sure=0.95)
    # the network takes the sixth rather for another fifth
    rows[7] = np.logaddexp(
        *(evidence((name,), 0.9)[0] + np.log(share) for name, share in (("L5", 0.7), ("L6", 0.3)))
    )
    assert name_chain(rows, gaps(names), PRIOR)[0].states == names


def test_a_thirteenth_rib_bearing_level_is_t13():
    names = ("T11", "T12", "T13", "L1", "L2")
    assert name_chain(evidence(names, 0.95), gaps(names), PRIOR)[0].states == names


def test_a_chain_begins_with_t13_as_seldom_as_persons_have_one():
    """Nothing but how often each is there tells the uppermost body's two names apart."""
    seen = evidence(["T12", "L1", "L2"])
    seen[0, STATES.index("T13")] = seen[0, STATES.index("T12")]
    alike = NamingPrior(gap_mm=(25.0,) * len(STATES), level_weight=1.0)
    t12, t13 = name_chain(seen, np.array([25.0, 25.0]), alike)[:2]
    assert t12.states[0] == "T12"
    assert t13.states[0] == "T13"
    assert t13.probability / t12.probability == pytest.approx(alike.t13 / (1 - alike.t13))


def test_a_body_that_was_not_found_is_stepped_over():
    names = ("T12", "L1", "L3", "L4")
    between = gaps(("T12", "L1", "L2", "L3", "L4"))
    between = np.array([between[0], between[1] + between[2], between[3]])
    assert name_chain(evidence(names, 0.99), between, PRIOR)[0].states == names


def test_without_evidence_the_probability_is_shared():
    names = ("T5", "T6", "T7")
    found = name_chain(np.log(np.full((3, len(STATES)), 1 / len(STATES))), gaps(names), PRIOR)
    assert found[0].probability < 0.35
    assert sum(one.probability for one in found) < 1.0


@settings(max_examples=20, deadline=None)
@given(
    first=st.integers(STATES.index("C3"), STATES.index("T5")),
    count=st.integers(2, 6),
    size=st.floats(0.85, 1.15),
)
def test_shifting_the_evidence_shifts_the_name(first, count, size):
    above, below = (STATES[k : k + count] for k in (first, first + 1))
    flat = NamingPrior(gap_mm=(25.0,) * len(STATES), level_weight=1.0, gap_weight=1.0)
    between = np.full(count - 1, 25.0 * size)
    rows = evidence(above)
    shifted = np.roll(rows, 1, axis=1)
    assert name_chain(rows, between, flat)[0].states == above
    assert name_chain(shifted, between, flat)[0].states == below


def test_probabilities_fall_and_sum_to_at_most_one():
    rng = np.random.default_rng(5)
    found = name_chain(np.log(rng.dirichlet(np.ones(len(STATES)), 8)), np.full(7, 27.0), PRIOR)
    odds = [one.probability for one in found]
    assert odds == sorted(odds, reverse=True)
    assert sum(odds) <= 1 + 1e-9


def test_one_center_is_named_by_its_evidence_alone():
    assert name_chain(evidence(("L3",)), np.zeros(0), PRIOR)[0].states == ("L3",)


def test_evidence_is_the_mean_around_the_center():
    levels = np.zeros((9, len(LEVEL_CLASSES)))
    levels[2:7, STATES.index("L2")] = [0.0, 0.5, 1.0, 0.5, 0.0]
    rows = level_evidence(levels, np.array([4, 8]))
    assert np.exp(rows[0, STATES.index("L2")]) == pytest.approx(0.4)
    assert np.exp(rows[1, STATES.index("L2")]) == pytest.approx(1e-3)
