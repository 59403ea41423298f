import numpy as np
import pytest
import torch

from spinexplain.reproduce.heads.training import configured, descended, finished, with_steps


def test_changes_are_laid_over_the_corrected_settings():
    config = configured({"loss": {"lambda_div": 0.0}, "sampling": "balanced"}, 3)
    assert (config.loss.lambda_div, config.loss.inside) == (0.0, "evidence")
    assert (config.sampling, config.seed) == ("balanced", 3)


def test_features_are_held_with_the_cells_of_the_evidence(held, sheets):
    assert len(held.training.features) == len(sheets)
    assert held.training.inside_cells.shape[1:] == held.training.features.shape[2:]
    features, crops = held.moved["hard"]
    assert len(features) == len(sheets) == len(crops.hu)


@pytest.fixture(scope="module")
def head(held, few_steps):
    return descended(with_steps(few_steps, few_steps), held)


def test_a_head_descends_and_leaves_the_trunk_alone(held, few_steps, head):
    before = {name: tensor.clone() for name, tensor in held.trunk.state_dict().items()}
    again = descended(with_steps(few_steps, few_steps), held)
    assert torch.equal(again.prototypes, head.prototypes)
    assert all(torch.equal(held.trunk.state_dict()[name], one) for name, one in before.items())
    assert not held.trunk.bypassed


def test_a_finished_head_stands_on_patches_and_keeps_its_own(held, few_steps, head):
    own = head.prototypes.clone()
    found = finished(head, with_steps(few_steps, few_steps), held)
    assert torch.equal(head.prototypes, own)
    assert found["off_patch"] < 1e-6
    assert found["travelled"] > 0
    assert found["wrong_signs"] == 0
    assert 0 <= found["f1_hard"] <= 1
    assert np.isfinite(list(found.values())).all()
