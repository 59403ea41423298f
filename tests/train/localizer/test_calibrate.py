import numpy as np
import pytest

from spinexplain.localizer.naming import STATES, NamingPrior, name_chain
from spinexplain.train.localizer.calibrate import (
    KnownChain,
    agrees,
    calibrated,
    log_score,
    true_probability,
)

PRIOR = NamingPrior(gap_mm=(25.0,) * len(STATES))
LEVELS = ("T9", "T10", "T11", "T12")


def chain(names, seen_as, sure=0.9):
    rows = np.full((len(names), len(STATES)), (1 - sure) / len(STATES))
    for row, name in enumerate(seen_as):
        rows[row, STATES.index(name)] += sure
    return KnownChain(np.log(rows), np.full(len(names) - 1, 25.0), tuple(names))


def test_the_true_naming_has_the_probability_that_naming_gives_it():
    one = chain(LEVELS, LEVELS)
    first = name_chain(one.evidence, one.gaps_mm, PRIOR)[0]
    assert true_probability(one, PRIOR) == pytest.approx(first.probability)
    assert true_probability(chain(("L1", *LEVELS[1:]), LEVELS), PRIOR) == 0.0


def test_evidence_that_errs_often_counts_less():
    """One of two scans is seen one level too high, as surely as the other."""
    above = ("T8", "T9", "T10", "T11")
    good, wrong = chain(LEVELS, LEVELS), chain(LEVELS, above)
    mixed = np.logaddexp(wrong.evidence + np.log(0.8), good.evidence + np.log(0.2))
    bad = KnownChain(mixed, good.gaps_mm, LEVELS)
    trusting = calibrated([good], PRIOR)
    careful = calibrated([good, bad], PRIOR)
    assert careful.level_weight < trusting.level_weight
    assert log_score([good, bad], careful) > log_score([good, bad], trusting)


def test_centers_without_a_body_may_have_any_name():
    assert agrees(("T12", "L1"), (None, "L1"))
    assert not agrees(("T12", "L1"), ("T12", "L2"))
