"""Cohorts that studies share; drawn once, and taken up again."""

from __future__ import annotations

from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.cohorts import box_cohort, sheet_cohort
from spinexplain.reproduce.setting import Setting


def drawn_sheets(
    setting: Setting, preset: str, seed: int, count: int, twins: bool = False
) -> Cohort:
    """Draw phantom sheets into the folder of work, or open those that are there.

    ``twins`` adds the healthy twin of every fracture.
    """
    path = setting.work / "cohorts" / f"{preset}-{seed}-{count}{'-twins' if twins else ''}"
    return sheet_cohort(
        path, preset, seed, count, twins=twins, jobs=setting.jobs, progress=setting.progress
    )


def drawn_boxes(
    setting: Setting, preset: str, seed: int, scans: int, masks: bool = False
) -> Cohort:
    """Draw the boxes of phantom scans into the folder of work, or open those that are there."""
    kind = "boxes" if masks else "bare-boxes"
    return box_cohort(
        setting.work / "cohorts" / f"{preset}-{seed}-{scans}-{kind}",
        preset,
        seed,
        scans,
        masks=masks,
        jobs=setting.jobs,
        progress=setting.progress,
    )


def graded_sheets(
    setting: Setting, preset: str, seed: int, count: int, config: TrainConfig
) -> TrainingSet:
    """Return drawn sheets as crops; only the rows that a configuration has classes for."""
    return with_classes(set_from_cohort(drawn_sheets(setting, preset, seed, count)), config.task, 1)
