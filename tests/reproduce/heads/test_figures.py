from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spinexplain.reproduce.heads.figures import (
    duplicates,
    same_class_cosine,
    winner_share,
    wrong_signs,
)
from spinexplain.train.grading.projection import PrototypeSource


def model_of(vectors, owner, weight=None):
    owner = torch.tensor(owner)
    own = torch.nn.functional.one_hot(owner).bool()
    layer = SimpleNamespace(weight=torch.zeros(2, len(owner)) if weight is None else weight)
    return SimpleNamespace(
        prototypes=torch.tensor(vectors), prototype_class=owner, own_class=own, last_layer=layer
    )


def test_cosine_of_same_class_pairs_by_hand():
    # Centered: (1, 0), (-1, 0) of one class, (0, 1), (0, -1) of the other: both pairs are -1.
    model = model_of([[2.0, 1.0], [0.0, 1.0], [1.0, 2.0], [1.0, 0.0]], [0, 0, 1, 1])
    assert same_class_cosine(model) == pytest.approx(-1.0)


def test_duplicates_show_one_person_in_neighboring_cells():
    data = SimpleNamespace(subjects=np.array(["a", "a", "b"]))
    sources = [PrototypeSource(0, (5, 5), 0.0), PrototypeSource(1, (7, 5), 0.0)]
    model = model_of([[0.0]] * 2, [0, 0])
    assert duplicates(sources, data, model) == 1
    assert duplicates([sources[0], PrototypeSource(1, (8, 5), 0.0)], data, model) == 0
    assert duplicates([sources[0], PrototypeSource(2, (5, 5), 0.0)], data, model) == 0
    assert duplicates(sources, data, model_of([[0.0]] * 2, [0, 1])) == 0


def test_share_of_the_most_frequent_winner_by_hand():
    similarities = np.array([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    found = winner_share(similarities, np.array([0, 0, 0, 1]), np.array([0, 0, 1]))
    assert found == pytest.approx((2 / 3 + 1) / 2)


def test_wrong_signs_are_counted_by_hand():
    weight = torch.tensor([[1.0, -1.0, 0.5], [0.0, -2.0, -1.0]])
    assert wrong_signs(model_of([[0.0]] * 3, [0, 0, 1], weight)) == 3
