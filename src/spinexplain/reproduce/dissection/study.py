"""The experiments on dissection: each stored as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from spinexplain.data.cohort import Cohort
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.cohorts import drawn_boxes
from spinexplain.reproduce.dissection.overlap import trained_network
from spinexplain.reproduce.dissection.readings import readings
from spinexplain.reproduce.dissection.shortcut import shortcut_experiment
from spinexplain.reproduce.dissection.sizes import detector_sizes, sheet_sizes
from spinexplain.reproduce.setting import Setting

RESULTS, MODEL = "dissection.json", "detector-phantom"
BOXES = ("hospital-like", 2, 25)
"""Preset, seed and scans of the boxes that the shipped detector is dissected with."""


def measure(setting: Setting, detectors: Sequence[str] = ()) -> None:
    """Run the experiments that are not stored yet.

    Parameters
    ----------
    setting : Setting
    detectors : sequence of str
        Detectors that learned from cohorts of different sizes, ``PATH=VERTEBRAE/FRACTURES``;
        without them the experiment on their sizes is left out.
    """
    torch.set_num_threads(1)
    experiments: dict[str, Callable[[Setting], dict[str, Any]]] = {
        "detector": _detector,
        "readings": _readings,
        "shortcut": shortcut_experiment,
        "sizes": sheet_sizes,
    }
    if detectors:
        experiments["detector-sizes"] = lambda one: detector_sizes(list(detectors), boxes(one))
    found = setting.stored(RESULTS) or {}
    for done, (name, experiment) in enumerate(experiments.items(), 1):
        if name not in found:
            found[name] = experiment(setting)
            setting.store(RESULTS, found)
        setting.progress.step("Experiments", done, len(experiments))


def boxes(setting: Setting) -> Cohort:
    """Return boxes of phantoms with evidence masks that the detector was not tested on."""
    return drawn_boxes(setting, *BOXES, masks=True)


def _detector(setting: Setting) -> dict[str, Any]:
    grader = load_grader(MODEL, runtime="torch")
    return trained_network(grader, boxes(setting), progress=setting.progress)


def _readings(setting: Setting) -> dict[str, Any]:
    return readings(load_grader(MODEL, runtime="torch"), boxes(setting))
