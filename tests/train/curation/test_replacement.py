import numpy as np
import pytest
import torch

from spinexplain.data.crops.dataset import class_labels
from spinexplain.errors import ModelError
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.curation.replacement import replace_prototypes
from spinexplain.train.grading.latent_pool import Bans
from spinexplain.train.grading.plain_inputs import inputs_in_batches
from spinexplain.train.grading.projection import project


@pytest.fixture
def case(toy_set, toy_config):
    config, data = toy_config(), toy_set()
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    model = build_model(trunk, config.head, 3, config.input).eval()
    labels = class_labels(data, config.classes)
    project(model, data, labels, config.input, config.projection)
    return model, data, labels, config


def latents_of(model, data, config):
    with torch.no_grad():
        found = [
            model.latent(x)
            for _, x, _ in inputs_in_batches(data, np.arange(len(data)), config.input)
        ]
    return torch.cat(found).double().numpy()


def slow_choice(latents, rows, old, banned, alike, fixed, distinct, allowed=None):
    """Try every cell of every crop in turn, nearest first."""
    cells = [(r, i, j) for r in rows for i in range(8) for j in range(8)]
    mean = np.mean([latents[r, :, i, j] for r, i, j in cells], axis=0)

    def cosine(a, b):
        a, b = a - mean, b - mean
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    order = sorted(cells, key=lambda c: np.sum((latents[c[0], :, c[1], c[2]] - old) ** 2))
    for r, i, j in order:
        v = latents[r, :, i, j]
        if allowed is not None and not allowed(i, j):
            continue
        if all(cosine(v, b) < alike for b in banned) and all(
            cosine(v, f) < distinct for f in fixed
        ):
            return r, (i, j)
    return None


def test_the_nearest_that_is_neither_forbidden_nor_like_a_sibling(case):
    model, data, labels, config = case
    before = model.prototypes.detach().double().numpy().copy()
    bans = Bans(model.prototypes.detach()[[2]].clone(), 0.7)
    latents = latents_of(model, data, config)
    found = replace_prototypes(model, data, labels, config, [2], bans)
    slow = slow_choice(
        latents, np.flatnonzero(labels == 1), before[2], [before[2]], 0.7, [before[3]], 0.95
    )
    assert (found[2].row, found[2].cell) == slow
    after = model.prototypes.detach().numpy()
    np.testing.assert_allclose(after[2], latents[(slow[0], slice(None), *slow[1])], atol=1e-5)
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(after[others], before[others].astype(np.float32))


def test_outside_the_vertebra_is_replaced_from_inside(case):
    model, data, labels, config = case
    before = model.prototypes.detach().double().numpy().copy()
    bans = Bans(model.prototypes.detach()[[2]].clone(), 0.7, confined=(2,))
    latents = latents_of(model, data, config)
    found = replace_prototypes(model, data, labels, config, [2], bans)
    # Those more alike than 0.7 lie so near that rounding would choose among them.
    # The body covers samples 8 to 24 of the crop; the grid's cells are centered on 0, 4, 8...
    slow = slow_choice(
        latents,
        np.flatnonzero(labels == 1),
        before[2],
        [before[2]],
        0.7,
        [before[3]],
        0.95,
        allowed=lambda i, j: 2 <= i <= 5 and 2 <= j <= 5,
    )
    assert (found[2].row, found[2].cell) == slow


def test_both_of_a_class_at_once_differ(case):
    model, data, labels, config = case
    bans = Bans(model.prototypes.detach()[[0, 1]].clone(), 0.9)
    found = replace_prototypes(model, data, labels, config, [0, 1], bans)
    assert (found[0].row, found[0].cell) != (found[1].row, found[1].cell)
    assert all(labels[source.row] == 0 for source in found.values())


def test_nothing_left_is_said(case):
    model, data, labels, config = case
    bans = Bans(model.prototypes.detach()[[2]].clone(), -1.0)
    with pytest.raises(ModelError, match="prototype 3 finds no other patch"):
        replace_prototypes(model, data, labels, config, [2], bans)
    with pytest.raises(ModelError, match="no crop of class G2"):
        replace_prototypes(model, data, np.where(labels == 1, -1, labels), config, [2], bans)
