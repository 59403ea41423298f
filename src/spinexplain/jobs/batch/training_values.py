"""What a model learned from, measured as an archive is: HU in the body, score, spacing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.data.crops.source import graded_rows
from spinexplain.errors import ConfigError
from spinexplain.jobs.batch.drift import TrainingValues
from spinexplain.progress import SILENT, Progress
from spinexplain.study.cases import case_patch

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort
    from spinexplain.models.grader import Grader

_CUBE_MM, _BATCH, _QUANTILES = 10, 32, 101
MOST = 600


def training_values(
    cohorts: Sequence[Cohort],
    grader: Grader,
    split: str | None = "training",
    source: str = "",
    seed: int = 0,
    most: Sequence[int] = (),
    progress: Progress = SILENT,
) -> TrainingValues:
    """Measure vertebrae of cohorts as ``batch`` measures those of an archive.

    Parameters
    ----------
    cohorts : sequence of Cohort
        What the model learned from, or more of the same kind.
    grader : Grader
    split : str or None
    source : str
        In words; the cohorts' names by default.
    seed : int
        Of the vertebrae that are taken of a cohort where there are more.
    most : sequence of int
        How many of each cohort; 600 of each by default.
    progress : Progress

    Returns
    -------
    TrainingValues
        The mean HU of 10 mm in every direction around the middle of the crop (of a sheet in its
        plane), the score of the class called, the spacing of the CT where the cohorts know it.

    Raises
    ------
    ConfigError
        If a cohort has no crop of the model's kind, or the model scales its crops.
    """
    if grader.spec.body_height_mm is not None:
        raise ConfigError(
            f'model "{grader.info.name}" sees crops scaled to the body; expected crops of the '
            "patients' own size, as an archive is measured. Compare with an earlier batch "
            "(--reference)."
        )
    hu, scores, called, spacings = [], [], [], []
    for cohort, count in zip(cohorts, most or [MOST] * len(cohorts), strict=True):
        rows = _rows(cohort, grader.spec.axes, split, (seed, count))
        spacings += [list(one) for one in cohort.index["native_spacing_mm"].iloc[rows]]
        for start in range(0, len(rows), _BATCH):
            patches = [
                case_patch(cohort, int(row), grader.spec) for row in rows[start : start + _BATCH]
            ]
            gradings = grader.grade(patches)
            hu += [_middle_hu(patch.array) for patch in patches]
            scores += [float(np.max(one.probabilities)) for one in gradings]
            called += [one.grade for one in gradings]
            progress.step("grading", start + len(patches), len(rows))
    classes = np.array(called)
    values = {"body_hu": _by_class(hu, classes), "score": _by_class(scores, classes)}
    if all(len(one) == 3 for one in spacings):
        for axis, name in ((0, "spacing_x_mm"), (2, "spacing_z_mm")):
            values[name] = {"all": _quantiles([float(one[axis]) for one in spacings])}
    info = grader.info
    return TrainingValues(
        f"{info.name} {info.version}",
        info.weights_sha256,
        source or " and ".join(cohort.path.name for cohort in cohorts),
        len(classes),
        values,
    )


def _rows(cohort: Cohort, axes: int, split: str | None, drawn: tuple[int, int]) -> np.ndarray:
    """Return rows of a cohort, drawn by (seed, count) where there are more."""
    rows, (seed, count) = graded_rows(cohort, axes, split), drawn
    if len(rows) <= count:
        return rows
    rng = np.random.default_rng([seed, 89])
    return np.sort(rng.choice(rows, count, replace=False))


def _middle_hu(crop: np.ndarray) -> float:
    half = _CUBE_MM // 2
    inner = tuple(slice(side // 2 - half, side // 2 + half) for side in crop.shape)
    return round(float(crop[inner].mean()), 1)


def _by_class(values: list[Any], classes: np.ndarray) -> dict[str, tuple[float, ...]]:
    numbers = np.asarray(values, float)
    return {str(name): _quantiles(numbers[classes == name]) for name in np.unique(classes)}


def _quantiles(values: Any) -> tuple[float, ...]:
    found = np.quantile(np.asarray(values, float), np.linspace(0, 1, _QUANTILES))
    return tuple(round(float(value), 4) for value in found)
