import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.explainers.activations import layer_activations


class Remembering:
    """Stands in for an exported network that gives one layer."""

    outputs = ("logits", "trunk")

    def __call__(self, patches, names):
        return {name: np.full((len(patches), 2, 3, 3), 7, np.float32) for name in names}


def test_torch_gives_what_the_layer_gives(tiny_grader, random_patch):
    grader = tiny_grader()
    patches = [random_patch(seed=seed) for seed in range(35)]  # more than one batch
    found = layer_activations(grader, patches, "trunk")
    with torch.no_grad():
        expected = grader.model.trunk(grader.inputs(patches)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_exported_network_answers_for_the_layers_it_has(tiny_grader, random_patch):
    grader = tiny_grader()
    object.__setattr__(grader, "runtime", Remembering())
    assert (layer_activations(grader, [random_patch()], "trunk") == 7).all()
    deeper = layer_activations(grader, [random_patch()], "trunk.layers.0")
    assert deeper.shape == (1, 4, 16, 16)


def test_a_layer_that_is_not_there(tiny_grader, random_patch):
    with pytest.raises(ModelError, match="nope"):
        layer_activations(tiny_grader(), [random_patch()], "nope")
