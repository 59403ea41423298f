import pytest

from spinexplain.localizer.naming import NONE, Hypothesis, NamingPrior
from spinexplain.localizer.trust import landmarks, log_odds, trusted_namings

PRIOR = NamingPrior(gap_mm=(), slope=0.3, offset=-0.2, landmark=1.0)
NAMINGS = (
    Hypothesis(("T12", NONE, "L1"), 0.8),
    Hypothesis(("T11", NONE, "T12"), 0.15),
    Hypothesis(("L1", NONE, "L2"), 0.01),
)


def test_a_fitted_line_changes_how_probable_not_which():
    held = trusted_namings(NAMINGS, (), PRIOR)
    assert [one.states for one in held] == [one.states for one in NAMINGS]
    assert held[0].probability < NAMINGS[0].probability
    assert sum(one.probability for one in held) <= 1 + 1e-9
    assert held[1].probability / held[2].probability == pytest.approx(15)


def test_no_naming_overtakes_the_first():
    close = Hypothesis(("L4",), 0.51), Hypothesis(("L5",), 0.48)
    first, second = trusted_namings(close, (), NamingPrior(gap_mm=(), offset=-3.0))
    assert first.probability == second.probability < 0.1


def test_a_landmark_counts_only_beside_its_level():
    lumbar, neck = Hypothesis(("L4", "L5", "S"), 0.8), Hypothesis(("C7", "T1"), 0.8)
    both = ("sacrum", "first rib")
    assert landmarks(both, lumbar) == ("sacrum",)
    assert landmarks(both, neck) == ("first rib",)
    assert landmarks(both, NAMINGS[0]) == ()
    odds = [log_odds(trusted_namings((one,), both, PRIOR)[0]) for one in (lumbar, NAMINGS[0])]
    assert odds[0] - odds[1] == pytest.approx(PRIOR.landmark)


def test_a_naming_without_another_has_finite_odds():
    assert 10 < log_odds(Hypothesis(("L1",), 1.0)) < 15
