"""From a cohort to the inputs an export's precision is judged on."""

from __future__ import annotations

import numpy as np

from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.runtime.export import Calibration
from spinexplain.train.grading.plain_inputs import inputs_in_batches


def calibration_of(
    data: TrainingSet, spec: InputSpec, name: str, at_most: int = 1000
) -> Calibration:
    """Turn unaugmented crops into network inputs.

    Parameters
    ----------
    data : TrainingSet
    spec : InputSpec
    name : str
        What ``export.json`` calls the cohort.
    at_most : int
        Vertebrae, spread evenly over the set.
    """
    count = min(len(data), at_most)
    rows = np.unique(np.linspace(0, len(data) - 1, count).round().astype(int))
    inputs = [x.numpy() for _, x, _ in inputs_in_batches(data, rows, spec)]
    return Calibration(name, np.concatenate(inputs))
