"""Predictions over a training set, and the figure that chooses a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.evaluate.grading import class_average_f1, confusion_matrix
from spinexplain.train.grading.plain_inputs import plain_batches


@torch.no_grad()
def predict(model: nn.Module, data: TrainingSet, config: TrainConfig) -> np.ndarray:
    """Return logits (N, K) of the unaugmented crops."""
    model.eval()
    first = next(model.parameters(), None)
    device = "cpu" if first is None else first.device
    batches = plain_batches(data, np.arange(len(data)), config.input)
    return torch.cat([model(x.to(device)).cpu() for x in batches]).numpy()


def validate(model: nn.Module, data: TrainingSet, config: TrainConfig) -> dict[str, float]:
    """Measure a model on a set: class-average F1, accuracy and recall of each class."""
    labels = class_labels(data, config.task)
    return figures_of(predict(model, data, config), labels, config.classes)


def figures_of(logits: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """Return class-average F1, accuracy and recall of each class that occurs.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
    labels : ndarray of int, shape (N,)
    classes : sequence of str, length K
    """
    predicted = logits.argmax(axis=1)
    figures = {
        "f1": class_average_f1(confusion_matrix(labels, predicted, len(classes))),
        "accuracy": float(np.mean(predicted == labels)),
    }
    for index, name in enumerate(classes):
        of_class = labels == index
        if of_class.any():
            figures[f"recall_{name}"] = float(np.mean(predicted[of_class] == index))
    return figures
