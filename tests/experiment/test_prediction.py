import numpy as np
import torch
from torch import nn

from spinexplain.config.tasks import TASKS
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import class_labels
from spinexplain.evaluate.predictions import Origin, class_names
from spinexplain.experiment.prediction import class_scores, predicted

SPEC = InputSpec(extent_mm=32, size=32)
TASK = TASKS["g0-g2-g3"]


class MeanNet(nn.Module):
    """Logits that depend on the mean of the first channel alone."""

    def forward(self, x):
        mean = x[:, 0].flatten(1).mean(dim=1)
        return torch.stack([mean, 2 * mean, torch.zeros_like(mean)], dim=1)


def test_scores_are_the_softmax_of_the_crops(toy_folded):
    data = toy_folded.data
    scores = class_scores(MeanNet(), data, SPEC)
    low, high = SPEC.windows_hu["ct"]
    crops = data.patches_hu[:, 56:88, 56:88].astype(float)
    mean = ((np.clip((crops - low) / (high - low), 0, 1) - 0.5) / 0.5).mean(axis=(1, 2))
    logits = np.stack([mean, 2 * mean, 0 * mean], axis=1)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_the_table_keeps_rows_and_reasons(toy_folded):
    data = toy_folded.data.take(np.arange(4))
    origin = Origin("m", "b", "d", "c")
    reasons = ["", "metal", "", ""]
    table = predicted(MeanNet(), data, SPEC, TASK, origin, 3, reasons)
    assert class_names(table) == TASK.classes
    assert table["label"].tolist() == class_labels(data, TASK).tolist()
    assert table["fold"].tolist() == [3] * 4
    assert table["assessable"].tolist() == [True, False, True, True]
    assert np.isnan(table["p_G0"][1])
    assert np.isfinite(table["p_G0"][0])
