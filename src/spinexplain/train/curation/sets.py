"""The crops that a curated model is fitted to, and those it is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import (
    TrainingSet,
    check_fits,
    split_validation,
    with_classes,
)
from spinexplain.data.crops.fingerprint import fingerprint
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.train.grading.protoverse import without_twins
from spinexplain.train.grading.simulated import with_simulated_fractures


@dataclass(frozen=True, eq=False)
class CurationSets:
    """A cohort divided as its training divided it.

    Parameters
    ----------
    training, validation : TrainingSet
        No subject is in both.
    fingerprint : str
        Of all crops that were read; see :func:`~spinexplain.data.crops.fingerprint.fingerprint`.
    """

    training: TrainingSet
    validation: TrainingSet
    fingerprint: str

    @property
    def validation_subjects(self) -> np.ndarray:
        """Names of those the model is measured on, each once."""
        return np.unique(self.validation.subjects)


def curation_sets(config: TrainConfig, cohort: Cohort, split: str | None) -> CurationSets:
    """Read a cohort and divide it by the seed and share of a model's training.

    With the cohort that the model was trained on the parts are those of its training; with
    another one the model has seen neither.

    Parameters
    ----------
    config : TrainConfig
    cohort : Cohort
    split : str or None
        Which split to read; None for all.

    Raises
    ------
    ConfigError
        If a class has no crop, there are fewer than two subjects, or the crops do not fit.
    """
    data = set_from_cohort(
        cohort, config.input.axes, split, body_height_mm=config.input.body_height_mm
    )
    check_fits(data, config.input)
    known = fingerprint(data)
    parts = split_validation(
        with_classes(data, config.task, 2), config.validation_share, config.seed
    )
    training = with_simulated_fractures(parts[0], config)
    return CurationSets(training, without_twins(parts[1]), known)


def validation_alone(
    config: TrainConfig, cohort: Cohort, split: str | None
) -> tuple[TrainingSet, str]:
    """Read what a model's training set aside for validation; nothing is fitted.

    Parameters
    ----------
    config : TrainConfig
    cohort : Cohort
    split : str or None
        Which split to divide; None for all.

    Returns
    -------
    validation : TrainingSet
    fingerprint : str
        Of all crops that were read.

    Raises
    ------
    ConfigError
        If a class has no crop, there are fewer than two subjects, or the crops do not fit.
    """
    height = config.input.body_height_mm
    data = set_from_cohort(cohort, config.input.axes, split, masks=False, body_height_mm=height)
    check_fits(data, config.input)
    known = fingerprint(data)
    parts = split_validation(
        with_classes(data, config.task, 2), config.validation_share, config.seed
    )
    return without_twins(parts[1]), known
