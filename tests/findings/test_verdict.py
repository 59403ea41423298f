"""The table of rules, by hand and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.heights import heights_of
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    NO_SUSPICION,
    NOT_ASSESSABLE,
    STATES,
    SUSPECTED,
    judge,
)
from spinexplain.findings.weighing import VerdictCalibration, Weighing
from spinexplain.findings.witness import Witness, heights_witness

CALIBRATION = VerdictCalibration(
    models={"prototypes": "abc"},
    sets={
        "prototypes": Weighing(0.0, {"prototypes": 1.0}, 1.0, 0.0, True),
        "heights": Weighing(0.0, {"heights": 2.0}, 1.0, 0.0, True),
        "prototypes+heights": Weighing(0.5, {"prototypes": 1.0, "heights": 2.0}, 1.0, 0.0, True),
    },
)
MILDNESS = {NO_SUSPICION: 0, MILD: 1, DEFORMITY: 2, BORDERLINE: 2, SUSPECTED: 3}


def verdict(network=None, heights=None, spread=0.0, **others):
    spoken = [] if network is None else [Witness("prototypes", network, spread, "abc")]
    measured = heights_witness(heights)
    spoken += [measured] if measured else []
    return judge(spoken, CALIBRATION, None if heights is None else heights.loss, **others)


def test_nobody_speaks():
    assert verdict().state == NOT_ASSESSABLE


def test_terms_add_up_to_the_log_odds():
    found = verdict(2.0, heights_of(0.225))
    assert [term.log_odds for term in found.terms] == [2.0, pytest.approx(0.0)]
    assert found.log_odds == pytest.approx(2.5)
    assert found.state == SUSPECTED


@pytest.mark.parametrize(
    ("network", "spread", "state"),
    [
        (3.0, 1.0, SUSPECTED),
        (1.5, 1.0, BORDERLINE),
        (0.5, 0.0, BORDERLINE),
        (-2.0, 1.0, NO_SUSPICION),
    ],
)
def test_a_spread_that_crosses_the_line_is_borderline(network, spread, state):
    assert verdict(network, spread=spread).state == state


def test_heights_do_not_overrule_a_network_in_two_minds():
    assert verdict(-0.5, heights_of(-0.1), spread=0.6).state == BORDERLINE
    assert verdict(-0.5, heights_of(-0.1), spread=0.6).reason == "network_undecided"
    assert verdict(-0.5, heights_of(-0.1), spread=0.4).state == NO_SUSPICION


def test_a_loss_of_class_1_is_never_without_suspicion():
    assert verdict(-7.0, heights_of(0.24)).state == MILD
    assert verdict(-7.0, heights_of(0.15)).state == NO_SUSPICION


def test_a_loss_that_is_moderate_is_never_called_mild():
    """The pit in one third that the broad loss leaves out stays in the measured loss."""
    measured = heights_of(0.3)
    quiet = [Witness("prototypes", -7.0, 0.0, "abc"), heights_witness(heights_of(0.1))]
    found = judge(quiet, CALIBRATION, measured.loss)
    assert (found.state, found.reason) == (BORDERLINE, "moderate_loss")
    assert judge(quiet, CALIBRATION, 0.24).state == MILD


def test_a_short_body_that_the_network_denies_is_asked_about():
    found = verdict(-0.5, heights_of(0.28), deformity="short_height")
    assert found.state == DEFORMITY
    assert verdict(2.0, heights_of(0.28), deformity="short_height").state == SUSPECTED


def test_a_detector_without_weight_has_no_say_in_what_networks_deny():
    measured = heights_of(0.28)
    spoken = [
        Witness("prototypes", -0.5, 0.0, "abc"),
        Witness("detector", 4.0, 0.0, "unknown"),
        heights_witness(measured),
    ]
    found = judge(spoken, CALIBRATION, measured.loss, deformity="short_height")
    assert [term.log_odds for term in found.terms][1] == 0.0
    assert found.state == DEFORMITY


@pytest.mark.parametrize(
    ("grade", "loss", "severity", "possible"),
    [
        (2, 0.30, "moderate", False),
        (2, 0.12, "moderate", True),  # too tall for that grade
        (3, 0.38, "moderate", False),  # within 5 points of the band
        (3, 0.30, "moderate", True),
        (2, 0.50, "severe", True),
        (None, 0.45, "severe", False),
    ],
)
def test_severity_follows_the_loss(grade, loss, severity, possible):
    found = verdict(7.5, heights_of(loss), network_grade=grade)
    assert (found.severity, found.possible) == (severity, possible)


def test_without_heights_the_network_names_the_severity():
    assert verdict(5.0, network_grade=3).severity == "severe"


def test_other_models_than_calibrated_say_so():
    assert not judge([Witness("prototypes", 5.0, 0.0, "other")], CALIBRATION).calibrated
    assert judge([Witness("prototypes", 5.0, 0.0, "abc")], CALIBRATION).calibrated


@given(st.floats(-8, 8), st.floats(0, 2), st.floats(-0.2, 0.7), st.floats(0, 0.3), st.booleans())
def test_more_loss_never_makes_it_milder(network, spread, loss, more, is_deformed):
    shape = "short_height" if is_deformed else None
    first = verdict(network, heights_of(loss), spread, deformity=shape)
    second = verdict(network, heights_of(loss + more), spread, deformity=shape)
    assert MILDNESS[second.state] >= MILDNESS[first.state]


BROAD = VerdictCalibration(
    models={"prototypes": "abc"},
    sets={
        "prototypes": CALIBRATION.sets["prototypes"],
        "heights": Weighing(0.0, {"heights_broad": 2.0}, 1.0, 0.0, True),
        "prototypes+heights": Weighing(
            0.5, {"prototypes": 1.0, "heights_broad": 2.0}, 1.0, 0.0, True
        ),
    },
)


def by_broad_loss(network, loss, broad_loss, spread=0.0, deformity=None):
    heights = heights_of(loss, broad_loss=broad_loss)
    spoken = [Witness("prototypes", network, spread, "abc"), heights_witness(heights)]
    return judge(spoken, BROAD, loss, deformity=deformity)


def test_a_pit_in_one_third_carries_no_suspicion():
    found = by_broad_loss(-1.5, loss=0.33, broad_loss=0.105)
    assert [term.log_odds for term in found.terms] == [-1.5, pytest.approx(-4.0)]
    assert (found.state, found.reason) == (BORDERLINE, "moderate_loss")
    assert by_broad_loss(-1.5, loss=0.24, broad_loss=0.105).state == MILD
    assert by_broad_loss(-1.5, loss=0.33, broad_loss=0.33).state == SUSPECTED


@given(
    st.floats(-8, 8),
    st.floats(0, 2),
    st.floats(-0.2, 0.7),
    st.floats(-0.2, 0.7),
    st.floats(0, 0.3),
    st.booleans(),
)
def test_more_of_either_loss_never_makes_it_milder(network, spread, loss, broad, more, is_deformed):
    shape = "schmorl" if is_deformed else None
    states = [
        by_broad_loss(network, loss + one, broad + other, spread, shape).state
        for one, other in ((0.0, 0.0), (more, 0.0), (0.0, more), (more, more))
    ]
    assert all(MILDNESS[states[0]] <= MILDNESS[state] <= MILDNESS[states[3]] for state in states)


def test_worst_comes_first():
    found = [verdict(7.0, heights_of(0.5)), verdict(7.0, heights_of(0.3)), verdict(-7.0)]
    assert sorted(found, key=lambda one: one.rank) == found
    assert STATES[0] == SUSPECTED
