"""What the runs of trials say about the test cohorts, each cohort cut and graded once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.config.training import TrainConfig
from spinexplain.experiment.trials_sources import Source, read_source
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    from spinexplain.data.crops.dataset import TrainingSet
    from spinexplain.train.grading.run import Trained


class GradedBoxes:
    """The graded vertebrae of test cohorts, cut once for all the runs that are tested on them.

    Parameters
    ----------
    config : TrainConfig
        Its task says which grades count, its input what is cut.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self._known: dict[Source, TrainingSet] = {}

    def of(self, cohort: Source) -> TrainingSet:
        """Return one cohort's vertebrae, cut to what the network sees."""
        from spinexplain.data.crops.dataset import class_labels
        from spinexplain.train.grading.augment import cut_to_input

        if cohort not in self._known:
            spec = self.config.input
            data = read_source(cohort, spec.axes, spec.body_height_mm)
            data = data.take(class_labels(data, self.config.task) >= 0)
            self._known[cohort] = cut_to_input(data, spec)
        return self._known[cohort]


def class_sizes(source: Source, config: TrainConfig) -> dict[str, int]:
    """Count the vertebrae of a set whose grade is in a class, and the fractures among them."""
    from spinexplain.data.crops.dataset import class_labels

    labels = class_labels(read_source(source, config.input.axes), config.task)
    return {
        "vertebrae": int(np.sum(labels >= 0)),
        "fractures": int(np.sum(labels == _fracture(config))),
    }


def _fracture(config: TrainConfig) -> int:
    """Return the place of the one class of two that is a fracture."""
    return config.classes.index(config.task.fractures[0])


def scores_of(
    trained: Trained, boxes: GradedBoxes, tests: Sequence[Source]
) -> dict[Source, np.ndarray]:
    """Return the probability of a fracture for every cohort of some test sets."""
    single = dict.fromkeys(part for test in tests for part in test.parts)
    return {part: _scores(trained, boxes.of(part)) for part in single}


def _scores(trained: Trained, data: TrainingSet) -> np.ndarray:
    from scipy.special import softmax

    from spinexplain.train.grading.validate import predict

    logits = predict(trained.model, data, trained.config).astype(np.float64)
    return np.asarray(softmax(logits, axis=1)[:, _fracture(trained.config)])


def height_losses(data: TrainingSet) -> np.ndarray:
    """Return the height loss that a cohort knows as if it were a model's score; NaN else."""
    return data.height_loss if data.height_loss is not None else np.full(len(data), np.nan)


def store_scores(
    path: Path, boxes: GradedBoxes, test: Source, scores: dict[Source, np.ndarray]
) -> None:
    """Write a parquet file with a row a vertebra: who it is, its grade, class and score."""
    import pandas as pd

    from spinexplain.data.crops.dataset import class_labels

    parts = []
    for cohort in test.parts:
        data = boxes.of(cohort)
        columns = {
            "subject": data.subjects,
            "series": data.series,
            "level": data.levels,
            "grade": [f"G{grade}" for grade in data.grades],
            "label": (class_labels(data, boxes.config.task) == _fracture(boxes.config)).astype(int),
            "score": scores[cohort],
        }
        parts.append(pd.DataFrame(columns))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False)
