"""What the levels network has learned: persons that it learned from beside new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from spinexplain.localizer.networks import LocalizerNetworks, load_networks, shipped_networks
from spinexplain.models.localizing import LEVEL_CLASSES, LEVELS, SACRUM
from spinexplain.reproduce.localizer import EARLIER
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_localizer import PERSONS as LEARNED
from spinexplain.train.localizer.bodies import DrawnBody, load_body
from spinexplain.train.localizer.draws import body_name, draw_body
from spinexplain.train.localizer.level_batches import LevelBatch, LevelBatches
from spinexplain.train.localizer.level_targets import UNKNOWN

RESULTS = "localizer-levels.json"
PERSONS, SECTIONS = 20, 4
CURVE_SEED = 17
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Persons:
    """Some drawn persons.

    Parameters
    ----------
    preset : str
    seed : int
    """

    preset: str
    seed: int


COHORTS = {
    "learned from": Persons(LEARNED.preset, LEARNED.seed),
    "new persons": Persons(LEARNED.preset, 11),
    "another preset": Persons("wide-test", 8),
}


@dataclass(frozen=True, eq=False)
class LevelAnswer:
    """What is answered at one taught position of a section.

    Parameters
    ----------
    level : str
        The true class: a level or ``"S"``.
    said : str
    odds : float
        Probability of the true class.
    """

    level: str
    said: str
    odds: float


def measure(setting: Setting, persons: int = PERSONS) -> None:
    """Read sections of three cohorts by the shipped levels network, and by an earlier one."""
    torch.set_num_threads(1)
    versions = [shipped_networks()]
    if (setting.work / EARLIER).is_dir():
        versions.append(load_networks(setting.work / EARLIER))
    rows: list[dict[str, Any]] = []
    for name, cohort in COHORTS.items():
        batches = list(_sections(drawn(setting, cohort, persons)))
        for networks in versions:
            answers = [one for batch in batches for one in answered(networks, batch)]
            rows.append({"cohort": name, "version": networks.info.version} | figures(answers))
    content = {
        "persons": persons,
        "sections": SECTIONS,
        "cohorts": {name: [one.preset, one.seed] for name, one in COHORTS.items()},
        "rows": rows,
    }
    setting.store(RESULTS, content)


def drawn(setting: Setting, cohort: Persons, persons: int) -> list[DrawnBody]:
    """Draw the persons of a cohort that are not there yet, and open all."""
    folder = setting.work / "localizer" / cohort.preset
    for index in range(persons):
        draw_body(cohort.preset, cohort.seed, index, folder)
        setting.progress.step(cohort.preset, index + 1, persons)
    names = [body_name(cohort.preset, cohort.seed, index) for index in range(persons)]
    return [load_body(folder, name) for name in names]


def _sections(bodies: Sequence[DrawnBody]) -> Iterator[LevelBatch]:
    """Draw sections of every person as training does, along curves with random errors."""
    for number, body in enumerate(bodies):
        batches = LevelBatches([body], {}, 1, CURVE_SEED + number)
        for step in range(SECTIONS):
            yield batches.load(step, (0, 1), _CPU)


def answered(networks: LocalizerNetworks, batch: LevelBatch) -> list[LevelAnswer]:
    """Return what is answered where the section shows a body whose level is known."""
    logits = torch.from_numpy(networks.levels(batch.densities.numpy()))[0, LEVELS]
    odds = torch.softmax(logits, dim=0).numpy()
    level = batch.level[0].numpy()
    at = np.flatnonzero((level != UNKNOWN) & batch.taught[0].numpy())
    return [
        LevelAnswer(
            LEVEL_CLASSES[level[k]],
            LEVEL_CLASSES[int(odds[:, k].argmax())],
            float(odds[level[k], k]),
        )
        for k in at.tolist()
    ]


def figures(answers: Sequence[LevelAnswer]) -> dict[str, Any]:
    """Return cross-entropy (nats), share right, and that of each level.

    ``constant`` is the same of an answer that never looks: how often each level is asked for.

    Examples
    --------
    >>> answers = [LevelAnswer("T4", "T4", 0.5), LevelAnswer("T13", "T12", 0.5)]
    >>> figures(answers)["right"], figures(answers)["levels"]["T13"]
    (0.5, 0.0)
    """
    right: dict[str, list[bool]] = {}
    for one in answers:
        right.setdefault(one.level, []).append(one.said == one.level)
    every = [flag for flags in right.values() for flag in flags]
    order = [name for name in LEVEL_CLASSES if name in right and name != SACRUM]
    odds = np.array([one.odds for one in answers])
    shares = np.array([len(flags) for flags in right.values()]) / len(answers)
    return {
        "positions": len(answers),
        "cross_entropy": round(float(-np.log(np.maximum(odds, 1e-6)).mean()), 4),
        "right": round(float(np.mean(every)), 4),
        "constant": {
            "cross_entropy": round(float(-(shares * np.log(shares)).sum()), 4),
            "right": round(float(shares.max()), 4),
        },
        "levels": {name: round(float(np.mean(right[name])), 3) for name in order},
    }
