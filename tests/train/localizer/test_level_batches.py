import numpy as np
import torch

from spinexplain.geometry import fit_curve
from spinexplain.localizer.naming import STATES
from spinexplain.localizer.prior import shipped_prior
from spinexplain.models.localizing import CENTER, DISC, LEVELS, OFFSETS, SECTION_SHAPE
from spinexplain.train.localizer.chain_loss import ChainLoss
from spinexplain.train.localizer.fields import FieldShares, SeenBox
from spinexplain.train.localizer.level_batches import (
    LONG_EVERY,
    LONG_POSITIONS,
    POSITIONS,
    SHORT_SECTIONS,
    USUAL_SECTIONS,
    FoundCurve,
    LevelBatches,
    SeenSections,
    level_loss,
)
from spinexplain.train.localizer.level_targets import UNKNOWN

CPU = torch.device("cpu")
SACRAL = STATES.index("S")  # follows T9 in the drawn person, which no naming allows
SHORTER = SeenSections(1.0, FieldShares(whole=0.0, short=1.0, narrow=0.0))
ALL = SeenBox(np.full(3, -900.0), np.full(3, 900.0))


def test_a_batch_is_a_function_of_seed_and_step(drawn_body):
    batches = LevelBatches([drawn_body], {}, 2, seed=3)
    one, again = (batches.load(4, (0, 1), CPU) for _ in range(2))
    assert one.densities.shape == (2, 1, POSITIONS, *SECTION_SHAPE)
    for name in ("densities", "center", "disc", "offsets_cm", "taught", "level"):
        assert torch.equal(getattr(one, name), getattr(again, name))
    half = batches.load(4, (1, 2), CPU)
    assert torch.equal(half.densities[0], one.densities[1])
    assert len(batches.names(4)) == 2


def test_every_third_batch_shows_longer_pieces(drawn_body):
    batches = LevelBatches([drawn_body], {}, 2, seed=3)
    long = batches.load(LONG_EVERY - 1, (0, 1), CPU)
    assert long.densities.shape == (1, 1, LONG_POSITIONS, *SECTION_SHAPE)
    assert long.level.shape == (1, LONG_POSITIONS)
    assert len(batches.names(LONG_EVERY - 1)) == 1


def test_bodies_are_bright_where_the_truth_puts_centers(drawn_body):
    batches = LevelBatches([drawn_body], {}, 2, seed=1)
    batch = batches.load(0, (0, 1), CPU)
    column = batch.densities[:, 0, :, 22:34, 24:36].amax((2, 3))
    at, away = column[batch.center > 0.8], column[batch.disc > 0.8]
    assert len(at) > 3
    assert at.mean() > away.mean() + 0.2


def test_offsets_lead_from_the_curve_to_the_centers(drawn_body):
    """Followed from any taught position, they end on a body center."""
    batches = LevelBatches([drawn_body], {}, 1, seed=2)
    batch = batches.load(3, (0, 1), CPU)
    assert batch.taught.any()
    assert batch.offsets_cm[0, 0][batch.taught[0]].abs().max() <= 0.85
    assert (batch.offsets_cm[:, :, ~batch.taught[0]] == 0).all()


def test_curves_of_the_stage_before_are_used(drawn_body):
    far = fit_curve(drawn_body.centers_mm + np.array([200.0, 0.0, 0.0]), np.array([0.0, 0, -1]))
    found = {drawn_body.name: [FoundCurve(ALL, far)]}
    batches = LevelBatches([drawn_body], found, 1, seed=0)
    lost = [not batches.load(step, (0, 1), CPU).taught.any() for step in range(12)]
    assert 2 <= sum(lost) <= 10


def test_short_sections_show_few_bodies(drawn_body):
    """What is drawn is short more often, along curves that lie on the bodies."""
    usual, short = (
        LevelBatches([drawn_body], {}, 1, 5, sections) for sections in (USUAL_SECTIONS, SHORTER)
    )
    counts = [
        np.mean([_bodies(batches.load(step, (0, 1), CPU)) for step in range(8)])
        for batches in (usual, short)
    ]
    assert counts[1] < counts[0]


def _bodies(batch):
    return 0 if batch.chains[0] is None else len(batch.chains[0].states)


def test_chains_lie_where_centers_are(drawn_body):
    batch = LevelBatches([drawn_body], {}, 2, 3, SHORT_SECTIONS).load(1, (0, 1), CPU)
    assert len(batch.chains) == 2
    for row, chain in enumerate(batch.chains):
        if chain is not None:
            assert (batch.center[row, chain.positions] > 0.9).all()


def test_a_naming_counts_beside_the_levels(drawn_body):
    batches = LevelBatches([drawn_body], {}, 1, seed=1)
    steps = (batches.load(step, (0, 1), CPU) for step in range(20))
    batch = next(one for one in steps if one.chains[0] and SACRAL not in one.chains[0].states)
    answer = torch.zeros(1, LEVELS.stop, batch.level.shape[1])
    plain = level_loss(answer, batch)
    named = level_loss(answer, batch, ChainLoss(shipped_prior()))
    assert "naming" not in plain
    assert named["naming"] > 0
    assert torch.equal(plain["levels"], named["levels"])


def test_the_loss_is_least_for_the_truth(drawn_body):
    batch = LevelBatches([drawn_body], {}, 1, seed=1).load(0, (0, 1), CPU)
    right = torch.zeros(1, LEVELS.stop, POSITIONS)
    right[:, CENTER] = torch.logit(batch.center.clamp(1e-3, 1 - 1e-3))
    right[:, DISC] = torch.logit(batch.disc.clamp(1e-3, 1 - 1e-3))
    right[:, OFFSETS] = batch.offsets_cm
    known = batch.level.clamp(min=0)
    right[:, LEVELS] = 20.0 * torch.nn.functional.one_hot(known, 28).movedim(-1, 1)
    worse = right.clone()
    worse[:, LEVELS] = worse[:, LEVELS].roll(1, dims=1)
    losses = level_loss(right, batch), level_loss(worse, batch)
    assert float(losses[0]["levels"]) < 1e-3 < float(losses[1]["levels"])
    assert float(losses[0]["offsets"]) == 0.0
    assert (batch.level != UNKNOWN).any()
