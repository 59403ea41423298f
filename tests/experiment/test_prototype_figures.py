import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spinexplain.config.entries import parse_entry
from spinexplain.experiment.folds import run_fold
from spinexplain.experiment.prototype_figures import (
    contributions,
    cosines,
    duplicates,
    measured,
    winner_share,
)
from spinexplain.train.grading.projection import PrototypeSource


def test_cosines_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0]])
    half = np.sqrt(0.5)
    expected = [[1, half, -1], [half, 1, -half], [-1, -half, 1]]
    np.testing.assert_allclose(cosines(vectors), expected, atol=1e-12)


def test_centering_tells_apart_what_a_shared_offset_makes_alike():
    """Two opposite directions on top of a large offset: raw cosine near 1, centered -1."""
    vectors = torch.tensor([[10.0, 1.0], [10.0, -1.0]])
    found = measured(
        vectors, np.zeros(2, int), torch.tensor([10.0, 0.0]), np.eye(2), np.zeros(2, int)
    )
    assert found.same_class_cosine == pytest.approx(99 / 101)
    assert found.same_class_centered == pytest.approx(-1)


def test_one_prototype_per_class_has_no_pairs():
    found = measured(torch.eye(2), np.arange(2), torch.zeros(2), np.eye(2), np.arange(2))
    assert np.isnan(found.same_class_cosine)
    assert found.winner_share == 1


def test_winner_share_counts_own_class_winners_alone():
    similarities = np.array([[3.0, 1, 9], [1, 3, 9], [1, 3, 9], [1, 3, 9], [9, 9, 1]])
    labels, owner = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 1])
    assert winner_share(similarities, labels, owner) == pytest.approx((0.75 + 1) / 2)


def test_duplicates_are_the_same_cell_of_the_same_crop():
    places = [(1, (2, 2)), (1, (2, 3)), (4, (2, 2)), (1, (2, 2)), (1, (2, 2))]
    assert duplicates([PrototypeSource(row, cell, 0.0) for row, cell in places]) == 2


def test_contributions_add_up_to_the_mean_logit():
    rng = np.random.default_rng(0)
    similarities, labels = rng.random((12, 4)), np.arange(12) % 2
    weight = rng.normal(size=(2, 4))
    model = SimpleNamespace(
        last_layer=SimpleNamespace(weight=torch.from_numpy(weight)),
        prototype_class=torch.tensor([0, 0, 1, 1]),
    )
    found = contributions(model, similarities, labels)
    logits = similarities @ weight.T
    for k in range(2):
        assert sum(found["true_class"][k]) == pytest.approx(logits[labels == k, k].mean())
        for c in range(2):
            slow = [
                sum(weight[c, p] * similarities[i, p] for p in (2 * c, 2 * c + 1))
                for i in np.flatnonzero(labels == k)
            ]
            assert found["own_class"][k][c] == pytest.approx(np.mean(slow))


def test_the_story_of_a_run_tells_before_from_after(toy_folded, tiny_preset, tmp_path):
    folder = run_fold(parse_entry(str(tiny_preset)), toy_folded, 1, tmp_path)
    story = json.loads((folder / "prototypes.json").read_text())
    assert len(story["distance_travelled"]) == 6
    assert story["duplicates"] == 0
    moved = np.array(story["distance_travelled"]) > 1e-6
    assert moved.any() == (story["before"] != story["after"])
    assert np.allclose(np.diag(story["after"]["cosine"]), 1, atol=1e-3)
