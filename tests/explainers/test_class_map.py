"""The map that a supervised classifier was asked to show."""

import numpy as np
import pytest
import torch

from spinexplain.errors import ModelError
from spinexplain.explainers.class_map import explain_class_map


def test_the_map_is_the_sigmoid_of_weights_times_features(tiny_grader, random_patch):
    grader, patch = tiny_grader(kind="linear"), random_patch()
    found = explain_class_map(grader, patch, "G2")
    (evidence,) = found.evidence
    model, inputs = grader.model, grader.inputs([patch])
    with torch.no_grad():
        features = model.trunk(inputs)[0].numpy()
    weight = model.last_layer.weight.detach().numpy()[grader.classes.index("G2")]
    slow = 1 / (1 + np.exp(-(weight[:, None, None] * features).sum(axis=0)))
    assert evidence.terms["peak"] == pytest.approx(float(slow.max()), rel=1e-5)
    assert evidence.score == pytest.approx(float(slow.sum()), rel=1e-5)
    assert evidence.heatmap.shape == patch.array.shape
    assert 0 < evidence.heatmap.min() <= evidence.heatmap.max() < 1


def test_other_networks_and_classes_are_refused(tiny_grader, random_patch):
    with pytest.raises(ModelError, match="expected a plain classifier"):
        explain_class_map(tiny_grader(), random_patch(), "G2")
    with pytest.raises(ModelError, match='no class map of "G9"'):
        explain_class_map(tiny_grader(kind="linear"), random_patch(), "G9")
