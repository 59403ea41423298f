import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.explainers.randomize import with_random_labels, with_random_weights
from spinexplain.models.grader import Grader


@pytest.mark.parametrize("kind", ["prototype", "linear", "detector"])
def test_weights_are_the_same_numbers_elsewhere(kind, tiny_grader):
    grader = tiny_grader(2, kind)
    random = with_random_weights(grader, 1)
    changed = 0
    for (name, own), (_, other) in zip(
        grader.model.named_parameters(), random.model.named_parameters(), strict=True
    ):
        assert torch.equal(own.flatten().sort().values, other.flatten().sort().values), name
        changed += not torch.equal(own, other)
    assert changed > 2
    again = with_random_weights(grader, 1)
    assert all(
        torch.equal(a, b)
        for a, b in zip(random.model.parameters(), again.model.parameters(), strict=True)
    )


@pytest.mark.parametrize("kind", ["prototype", "linear", "detector"])
def test_only_the_last_layer_is_fitted_again(kind, tiny_grader, random_patch):
    grader = tiny_grader(2, kind)
    inputs = grader.inputs([random_patch(grader.spec.axes, seed) for seed in range(8)]).numpy()
    labels = np.arange(8) % len(grader.classes)
    random = with_random_labels(grader, inputs, labels, 1)
    differ = [
        name
        for (name, own), (_, other) in zip(
            grader.model.named_parameters(), random.model.named_parameters(), strict=True
        )
        if not torch.equal(own, other)
    ]
    last = {"prototype": "last_layer.weight", "linear": "last_layer.weight"}
    assert len(differ) == 1
    assert differ[0] == last.get(kind, differ[0])
    norm = dict(grader.model.named_parameters())[differ[0]].norm()
    refitted = dict(random.model.named_parameters())[differ[0]].norm()
    assert refitted.item() == pytest.approx(norm.item(), rel=1e-4)


def test_without_a_linear_layer_there_is_nothing_to_fit():
    net = nn.Sequential(nn.Conv2d(1, 2, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    grader = Grader.from_module(net, InputSpec(extent_mm=8, size=8, channels=("ct",)), ("a", "b"))
    with pytest.raises(ModelError, match="no linear layer"):
        with_random_labels(grader, np.zeros((2, 1, 8, 8), np.float32), np.array([0, 1]), 0)
