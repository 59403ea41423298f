"""The crops a prototype model learned from, found again in their cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels, joined, split_validation
from spinexplain.data.crops.fingerprint import fingerprint
from spinexplain.data.crops.source import graded_rows, set_from_cohort
from spinexplain.errors import ModelError
from spinexplain.train.grading.run_folder import OpenedRun


@dataclass(frozen=True, eq=False)
class AtlasData:
    """The crops a model learned from, and how to find each again in its cohort.

    Parameters
    ----------
    training : TrainingSet
        With ``origin``: position among ``places``.
    places : list of (Cohort, row)
    """

    training: TrainingSet
    places: list[tuple[Cohort, int]]


def training_data(run: OpenedRun, cohorts: Sequence[Cohort], split: str | None) -> AtlasData:
    """Read the crops a run learned from: its cohort without G1 and without validation.

    Parameters
    ----------
    run : OpenedRun
    cohorts : sequence of Cohort
        In the order of the training, if there were several.
    split : str or None
        Which split of the cohorts it learned from; None for all of it.

    Raises
    ------
    ModelError
        If the run does not hold its settings, or it learned from other data.
    """
    if run.config is None:
        raise ModelError(
            f'model "{run.grader.info.name}" does not hold the settings of its training, so its '
            "training crops cannot be found. Leave out --cohort."
        )
    axes, height = run.config.input.axes, run.config.input.body_height_mm
    data = joined(
        [
            set_from_cohort(cohort, axes, split, masks=False, body_height_mm=height)
            for cohort in cohorts
        ]
    )
    if run.fingerprint is not None and fingerprint(data) != run.fingerprint:
        raise ModelError(
            f'model "{run.grader.info.name}" learned from other crops than '
            f"{', '.join(cohort.path.name for cohort in cohorts)} holds (SHA-256 "
            f"{run.fingerprint[:12]}...). Name the cohort and --split it was trained on."
        )
    places = [(c, int(row)) for c in cohorts for row in graded_rows(c, axes, split)]
    data = replace(data, origin=np.arange(len(data)))
    data = data.take(class_labels(data, run.config.task) >= 0)
    training, _ = split_validation(data, run.config.validation_share, run.config.seed)
    return AtlasData(training, places)
