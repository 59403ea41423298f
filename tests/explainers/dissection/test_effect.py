"""Whether a network uses a unit: silenced, the score moves by what the unit gave it."""

import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.effect import (
    effects_on,
    silenced_log_odds,
    unit_effects,
)


class Pooled(nn.Module):
    """Three units are the three channels; the odds of fracture are 2 a - b of their means."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Identity()

    def forward(self, x):
        means = self.trunk(x).flatten(2).mean(dim=2)
        odds = 2 * means[:, 0] - means[:, 1]
        return torch.stack([-odds / 2, odds / 2], dim=1)


X = torch.tensor([[[[0.0, 4.0]], [[1.0, 3.0]], [[5.0, 5.0]]]])
LEVELS = np.array([1.0, 0.5, 0.0])


@pytest.mark.parametrize("layer", ["trunk", "inner.trunk"])
def test_silenced_units_are_held_at_their_level(layer):
    """Means 2, 2, 5: odds 2 x 2 - 2. Held at 1, 0.5 and 0 they are 2 - 2, 4 - 0.5 and as before."""
    model = Pooled()
    if layer != "trunk":
        model = nn.ModuleDict({"inner": model})
        model.forward = model["inner"].forward
    groups = [[0], [1], [2], [0, 1], []]
    odds = silenced_log_odds(model.eval(), layer, X, groups, LEVELS, healthy=0)
    np.testing.assert_allclose(odds, [2, 0, 3.5, 2, 1.5, 2])


def test_the_log_odds_are_of_all_fractured_classes_against_the_healthy_one():
    model = nn.Sequential(nn.Identity(), nn.Flatten())
    x = torch.log(torch.tensor([[[[1.0]], [[2.0]], [[3.0]]]]))
    odds = silenced_log_odds(model, "0", x, [], np.zeros(3), healthy=1)
    np.testing.assert_allclose(odds, [np.log((1 + 3) / 2)], rtol=1e-6)


def test_nothing_stays_hooked_and_unknown_layers_are_listed():
    model = Pooled().eval()
    silenced_log_odds(model, "trunk", X, [[0]], LEVELS, healthy=0)
    assert not model.trunk._forward_hooks
    with pytest.raises(ModelError, match='no layer "trunc"'):
        silenced_log_odds(model, "trunc", X, [[0]], LEVELS, healthy=0)


@pytest.mark.parametrize("kind", ["linear", "prototype"])
def test_one_pass_gives_what_a_pass_for_every_unit_gives(tiny_grader, random_patch, kind):
    """The trunk runs once for all groups; a network rebuilt with less gives the same."""
    grader, patch = tiny_grader(2, kind), random_patch(2)
    x = grader.inputs([patch])
    with torch.inference_mode():
        features = grader.model.trunk(x)
    levels = features.flatten(2).amax(dim=2).numpy()[0]
    units = [0, 1, 3]
    together = effects_on(grader, "trunk", x, units, levels)
    alone = [effects_on(grader, "trunk", x, [unit], levels)[0] for unit in units]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.abs(together).max() > 1e-6


def test_only_the_unit_that_the_network_reads_has_an_effect(known_dissected, known_grader):
    """The toy's log odds are 200 times the mean of its first unit, and of no other."""
    activity, samples = known_dissected.activity, known_dissected.samples
    found = unit_effects(known_grader(), "layers", activity, samples, [0, 2, 4], 3)
    means = activity.means[:, 0]
    relevance = np.where(samples.positive, activity.relevance()[:, 0], 0)
    lost = 200 * (means[np.argsort(-relevance, kind="stable")[:3]] - means.mean())
    assert found[0] == pytest.approx(lost.mean(), rel=1e-3)
    assert found[0] > 0
    assert found[[2, 4]].tolist() == [0, 0]
    assert np.isnan(found[[1, 3]]).all()  # not asked for


def test_units_that_nothing_enables_have_no_effect(known_dissected, known_grader):
    found = unit_effects(
        known_grader(), "layers", known_dissected.activity, known_dissected.samples, [1, 3], 5
    )
    assert np.isnan(found).all()  # silent units drive nothing
