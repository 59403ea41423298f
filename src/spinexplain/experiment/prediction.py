"""From a model and a labelled set to the predictions table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from spinexplain.config.tasks import Task
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet, class_labels
from spinexplain.evaluate.predictions import Origin, predictions_table
from spinexplain.train.grading.plain_inputs import plain_batches

if TYPE_CHECKING:
    import pandas as pd


@torch.no_grad()
def class_scores(
    model: nn.Module, data: TrainingSet, spec: InputSpec, device: str = "cpu"
) -> np.ndarray:
    """Return the softmax of the logits of the unaugmented crops, float64 (n, K)."""
    model.eval()
    rows = np.arange(len(data))
    logits = [model(x.to(device)).cpu() for x in plain_batches(data, rows, spec)]
    return torch.softmax(torch.cat(logits).double(), dim=1).numpy()


def predicted(
    model: nn.Module,
    data: TrainingSet,
    spec: InputSpec,
    task: Task,
    origin: Origin,
    fold: int = -1,
    reasons: list[str] | None = None,
    device: str = "cpu",
) -> pd.DataFrame:
    """Grade a labelled set; vertebrae with a reason not to be graded keep NaN scores.

    Parameters
    ----------
    model : nn.Module
        ``forward`` returns logits (n, K).
    data : TrainingSet
    spec : InputSpec
    task : Task
        Of the K logits.
    origin : Origin
    fold : int
    reasons : list of str, length n, optional
    device : str
    """
    import pandas as pd

    scores = class_scores(model, data, spec, device)
    if reasons is not None:
        scores[[bool(reason) for reason in reasons]] = np.nan
    rows = pd.DataFrame(
        {
            "subject": data.subjects,
            "series": data.series,
            "level": data.levels,
            "grade": [f"G{grade}" for grade in data.grades],
        }
    )
    labels = class_labels(data, task)
    return predictions_table(origin, rows, task.classes, scores, labels, fold, reasons)
