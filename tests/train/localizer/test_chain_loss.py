import numpy as np
import pytest
import torch

from spinexplain.geometry import fit_curve
from spinexplain.localizer.naming import _FLOOR, STATES, level_evidence, log_share
from spinexplain.localizer.prior import shipped_prior
from spinexplain.localizer.section import section_frame
from spinexplain.models.localizing import LEVELS
from spinexplain.train.localizer.chain_loss import (
    ChainLoss,
    TrueChain,
    learned_shares,
    true_chain,
)

PRIOR = shipped_prior()
POSITIONS = np.array([5, 20, 35, 50])
GAPS = np.array([24.0, 25.0, 28.0])


def chain(*names):
    return TrueChain(POSITIONS, np.array([STATES.index(name) for name in names]), GAPS)


def straight(levels, spacing=25.0):
    down = -spacing * np.arange(len(levels))
    centers = np.stack([np.zeros(len(levels)), np.zeros(len(levels)), down], axis=1)
    return centers, section_frame(fit_curve(centers, np.array([0.0, 0, -1])), -28.0, 96)


@pytest.mark.parametrize("names", [("T11", "T12", "L1", "L2"), ("T12", "T13", "L1", "L2")])
def test_it_is_the_share_that_naming_gives(names):
    """The oracle is naming's own sum, which takes the floor as the least and not on top."""
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 0.5, (28, 96))).float()
    levels = logits.softmax(0).T.numpy() + _FLOOR
    evidence = level_evidence(levels, POSITIONS)
    wanted = -log_share(evidence, GAPS, PRIOR, chain(*names).states.tolist())
    assert float(ChainLoss(PRIOR).missed(logits, chain(*names))) == pytest.approx(wanted, rel=1e-4)


def test_following_its_slope_names_a_chain():
    logits = torch.zeros(28, 96, requires_grad=True)
    loss, wanted = ChainLoss(PRIOR), chain("T11", "T12", "L1", "L2")
    before = loss.missed(logits, wanted)
    before.backward()
    with torch.no_grad():
        after = loss.missed(logits - 5.0 * logits.grad, wanted)
    assert after < before - 0.1


def test_sections_without_a_chain_or_a_possible_name_count_for_nothing():
    answer = torch.zeros(2, LEVELS.stop, 96, requires_grad=True)
    impossible = chain("L1", "T4", "C3", "S")
    nothing = ChainLoss(PRIOR)(answer, [None, impossible])
    nothing.backward()
    assert nothing.item() == 0.0
    assert (answer.grad == 0).all()


def test_the_mean_is_over_the_chains_that_can_be_named():
    answer = torch.randn(2, LEVELS.stop, 96, generator=torch.Generator().manual_seed(0))
    loss, one = ChainLoss(PRIOR), chain("T11", "T12", "L1", "L2")
    alone = loss.missed(answer[1, LEVELS], one)
    assert torch.equal(loss(answer, [None, one]), alone)


def test_a_chain_holds_the_bodies_in_view():
    levels = ("T11", "T12", "L1", "L2", "S1", "S2")
    centers, frame = straight(levels)
    seen = np.ones(96, bool)
    whole = true_chain(frame, levels, centers, seen)
    assert [STATES[k] for k in whole.states] == ["T11", "T12", "L1", "L2", "S"]
    np.testing.assert_allclose(whole.gaps_mm, 25.0)
    at = frame.to_patch(centers)[:5, 0]
    np.testing.assert_allclose(whole.positions, at, atol=0.5)
    seen[: whole.positions[1]] = False
    later = true_chain(frame, levels, centers, seen)
    assert STATES[later.states[0]] == "T12"


def test_a_chain_is_of_bodies_in_a_row():
    levels = ("T11", "T12", "L1", "L2")
    centers, frame = straight(levels)
    seen = np.ones(96, bool)
    seen[true_chain(frame, levels, centers, seen).positions[1]] = False
    assert true_chain(frame, levels, centers, seen) is None
    beside = centers + np.array([40.0, 0, 0])
    assert true_chain(frame, levels, beside, np.ones(96, bool)) is None


def test_shares_are_those_of_the_persons():
    persons = [("T12", "L1"), ("T12", "T13"), ("L5", "L6"), ("L5", "L6")]
    prior = learned_shares(PRIOR, persons)
    assert (prior.t13, prior.l6, prior.learned_t13, prior.learned_l6) == (0.25, 0.5, 0.25, 0.5)
    assert learned_shares(PRIOR, [("L5",)]).t13 == 1e-3
