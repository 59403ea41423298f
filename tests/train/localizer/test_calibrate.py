from dataclasses import replace

import numpy as np
import pytest

from spinexplain.localizer.naming import STATES, NamingPrior, name_chain
from spinexplain.train.localizer.calibrate import (
    KnownChain,
    agrees,
    calibrated,
    fitted_line,
    line_terms,
    log_scores,
    missed,
    true_probability,
    trusted,
)

PRIOR = NamingPrior(gap_mm=(25.0,) * len(STATES))
LEVELS = ("T9", "T10", "T11", "T12")


def chain(names, seen_as, sure=0.9):
    rows = np.full((len(names), len(STATES)), (1 - sure) / len(STATES))
    for row, name in enumerate(seen_as):
        rows[row, STATES.index(name)] += sure
    return KnownChain(np.log(rows), np.full(len(names) - 1, 25.0), (), tuple(names))


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
    bad = replace(good, evidence=mixed)
    trusting = calibrated([good], PRIOR)
    careful = calibrated([good, bad], PRIOR)
    assert careful.level_weight < trusting.level_weight
    assert log_scores([good, bad], careful).mean() > log_scores([good, bad], trusting).mean()


def test_centers_that_belong_to_no_body_are_left_out_of_the_true_naming():
    one = chain(LEVELS, LEVELS)
    more = KnownChain(
        np.insert(one.evidence, 2, one.evidence[0], axis=0),
        np.array([25.0, 10.0, 15.0, 25.0]),
        (),
        ("T9", "T10", None, "T11", "T12"),
    )
    nothing = replace(one, names=(None,) * 4)
    scores = log_scores([one, more, nothing], PRIOR)
    assert scores[0] == pytest.approx(scores[1])
    assert scores[2] == 0.0


def test_the_line_trusts_namings_as_often_as_they_are_right():
    """Half the scans are named wrongly at even odds, none of those with a landmark."""
    terms = np.array([(1.0, 1.0, k % 4 == 0) for k in range(80)])
    right = np.array([k % 4 == 0 or k % 3 == 0 for k in range(80)])
    line = fitted_line(terms, right)
    p = 1 / (1 + np.exp(-(terms @ line)))
    assert p.mean() == pytest.approx(right.mean(), abs=0.02)
    assert line[2] > 1.0
    assert missed(terms, right, line).sum() < missed(terms, right, np.array([1.0, 0, 0])).sum()


def test_landmarks_are_terms_of_the_line_only_where_names_reach_them():
    lumbar = replace(chain(("L3", "L4", "L5"), ("L3", "L4", "L5")), in_view=("sacrum",))
    above = replace(chain(LEVELS, LEVELS), in_view=("sacrum",))
    terms, right = line_terms([lumbar, above], PRIOR)
    assert terms[:, 2].tolist() == [1.0, 0.0]
    assert right.all()
    moved = trusted([lumbar, above], PRIOR)
    assert moved.landmark != 0.0
    assert replace(moved, slope=1.0, offset=0.0, landmark=0.0) == PRIOR


def test_centers_without_a_body_may_have_any_name():
    assert agrees(("T12", "L1"), (None, "L1"))
    assert not agrees(("T12", "L1"), ("T12", "L2"))
