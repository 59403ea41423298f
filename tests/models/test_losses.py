"""Every loss against a slow twin written from its equation."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ConfigError, ShapeError
from spinexplain.models.losses import (
    class_weights,
    cluster_loss,
    diversity_loss,
    off_class_l1,
    outside_loss,
    separation_loss,
)

OWNER = torch.tensor([0, 0, 1, 1, 2, 2])


def case(seed):
    rng = np.random.default_rng(seed)
    distances = torch.from_numpy(rng.uniform(0, 5, (7, 6)))
    return distances, torch.from_numpy(rng.integers(0, 3, 7))


@given(st.integers(0, 10_000))
def test_cluster_and_separation_equal_loops(seed):
    distances, labels = case(seed)
    own, other = [], []
    for row, label in zip(distances.numpy(), labels.numpy(), strict=True):
        own.append(min(d for d, c in zip(row, OWNER.tolist(), strict=True) if c == label))
        other.append(min(d for d, c in zip(row, OWNER.tolist(), strict=True) if c != label))
    assert float(cluster_loss(distances, labels, OWNER)) == pytest.approx(np.mean(own))
    assert float(separation_loss(distances, labels, OWNER)) == pytest.approx(np.mean(other))


def slow_diversity(prototypes, owner, mode):
    vectors = prototypes - prototypes.mean(axis=0) if mode == "centered" else prototypes
    terms = []
    for k, m in combinations(range(len(vectors)), 2):
        if owner[k] == owner[m]:
            product = float(np.dot(vectors[k], vectors[m]))
            if mode != "raw_dot":
                product /= np.linalg.norm(vectors[k]) * np.linalg.norm(vectors[m])
            terms.append(product**2)
    return np.mean(terms)


@pytest.mark.parametrize("mode", ["centered", "cosine", "raw_dot"])
def test_diversity_equals_the_sum_over_unordered_same_class_pairs(mode):
    prototypes = np.random.default_rng(3).uniform(0, 1, (6, 5))
    fast = diversity_loss(torch.from_numpy(prototypes), OWNER, mode)
    assert float(fast) == pytest.approx(slow_diversity(prototypes, OWNER.numpy(), mode))


def test_diversity_does_not_mix_classes():
    apart = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert float(diversity_loss(apart, torch.tensor([0, 0, 1, 1]), "cosine")) == 0.0
    assert float(diversity_loss(apart, torch.tensor([0, 1, 0, 1]), "cosine")) == 1.0


def test_raw_dot_falls_when_norms_shrink_and_cosine_does_not():
    prototypes = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    for mode, factor in (("raw_dot", 1 / 16), ("cosine", 1.0), ("centered", 1.0)):
        whole = float(diversity_loss(prototypes, OWNER, mode))
        assert float(diversity_loss(prototypes / 2, OWNER, mode)) == pytest.approx(whole * factor)


def test_one_prototype_per_class_has_no_diversity_to_lose():
    prototypes = torch.rand(3, 4, requires_grad=True)
    loss = diversity_loss(prototypes, torch.arange(3))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.equal(prototypes.grad, torch.zeros(3, 4))


def test_diversity_refuses_a_wrong_shape():
    with pytest.raises(ShapeError, match="P = 6"):
        diversity_loss(torch.zeros(5, 2), OWNER)


def test_l1_touches_off_class_connections_only():
    weight = torch.arange(18.0).reshape(3, 6).requires_grad_()
    loss = off_class_l1(weight, OWNER)
    loss.backward()
    own = OWNER[None] == torch.arange(3)[:, None]
    assert float(loss.detach()) == float(weight.detach()[~own].abs().sum())
    assert torch.all(weight.grad[own] == 0)
    assert torch.all(weight.grad[~own] == 1)


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_outside_loss_equals_a_loop(power):
    rng = np.random.default_rng(1)
    maps, inside = rng.uniform(0, 2, (4, 6, 3, 5)), rng.uniform(0, 1, (4, 3, 5))
    inside[2] = 0  # no target in view: not counted
    labels = np.array([0, 1, 1, 2])
    own = OWNER.numpy()[None] == labels[:, None]
    shares = [
        (maps[n, p] ** power * (1 - inside[n])).sum() / (maps[n, p] ** power).sum()
        for n in (0, 1, 3)
        for p in range(6)
        if own[n, p]
    ]
    loss = outside_loss(*(torch.from_numpy(a) for a in (maps, inside, own)), power)
    assert float(loss) == pytest.approx(np.mean(shares))


def test_outside_loss_without_any_target_is_zero():
    own = torch.ones(1, 2, dtype=torch.bool)
    assert float(outside_loss(torch.ones(1, 2, 3), torch.zeros(1, 3), own)) == 0.0


def test_class_weights_of_the_published_counts():
    counts = torch.tensor([982.0, 58.0, 38.0])
    assert class_weights(counts, "median").tolist() == pytest.approx(
        [58 / 982, 1.0, 58 / 38], rel=1e-6
    )
    assert class_weights(counts, "none").tolist() == [1, 1, 1]
    four = class_weights(torch.tensor([982, 58, 38, 142]), "median")
    assert four.tolist() == pytest.approx([100 / 982, 100 / 58, 100 / 38, 100 / 142])
    with pytest.warns(UserWarning, match="majority"):
        printed = class_weights(counts, "as_printed")
    assert printed.tolist() == pytest.approx([58 / 96, 58 / 1020, 58 / 1040], rel=1e-6)


@pytest.mark.parametrize("scheme", ["ins", "isns", "median"])
@given(counts=st.lists(st.integers(1, 5000), min_size=2, max_size=5))
def test_rarer_classes_never_weigh_less(scheme, counts):
    weights = class_weights(torch.tensor(counts), scheme)
    order = np.argsort(counts, kind="stable")
    assert np.all(np.diff(weights.numpy()[order]) <= 1e-6)


def test_empty_class_and_unknown_scheme_are_refused():
    with pytest.raises(ConfigError, match=r"\[3, 0\]"):
        class_weights(torch.tensor([3, 0]), "median")
    with pytest.raises(ConfigError, match='"inverse"'):
        class_weights(torch.tensor([3, 1]), "inverse")
