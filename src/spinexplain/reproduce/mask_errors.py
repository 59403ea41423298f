"""What heights, networks and the verdict are worth where the mask is wrong, or missing.

Written down before any result was seen: persons, errors and their sizes (the constants here and
in :mod:`spinexplain.data.phantom.mask_errors`), and that a vertebra of which a witness says
nothing counts as not found, and as no alarm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.figures import judged
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.mask_errors import (
    SURFACE_ERRORS,
    WrongMask,
    cut,
    levels_of,
    merged,
    pair_to_confuse,
)
from spinexplain.data.phantom.scan import PhantomImage, make_subject
from spinexplain.errors import GeometryError, LabelError
from spinexplain.findings.assess import patches_for
from spinexplain.findings.deformity import deformities
from spinexplain.findings.vertebrae import scan_vertebrae
from spinexplain.findings.weighing import stored_calibration
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES, heights_witness, network_witness
from spinexplain.io.json_file import write_json
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.mask_figures import by_look_alike, by_mask, caught
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.poses import POSES, posed_patches
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.types import Heights, Patch, Vertebra, Volume
from spinexplain.workers import run_all

RESULTS = "mask-errors.json"
SHEETS, BOXES = DEFAULT_MODEL, "detector-phantom"
PERSONS = {"hard": (6300, 20), "verse-like": (6301, 10)}
"""Preset -> seed that no training and no choice ever saw, and spines."""
EXACT, MERGED, CUT, CENTERS = "exact mask", "two levels merged", "cut at the wrong place", "no mask"
CENTER_ERROR_MM = 1.5
"""Standard deviation, along every axis, of a center where there is no mask."""
USING = {"together": (PROTOTYPES, HEIGHTS), "network": (PROTOTYPES,), "heights": (HEIGHTS,)}
"""Which witnesses the verdict hears."""


@dataclass(frozen=True)
class Person:
    """One phantom spine of the study, and the file that holds what came of it."""

    preset: str
    seed: int
    index: int
    folder: Path

    @property
    def path(self) -> Path:
        """Where its rows are stored."""
        return self.folder / f"{self.preset}-{self.seed}-{self.index:03d}.json"


@dataclass(frozen=True)
class Given:
    """What a scan is graded with, and the levels that it is judged at."""

    centers: tuple[Vertebra, ...] | None
    mask: WrongMask | None

    @property
    def levels(self) -> frozenset[VertebraLevel] | None:
        """The wrong ones; None for all."""
        return None if self.mask is None else self.mask.levels


def measure(setting: Setting) -> None:
    """Draw every person, grade by every mask, judge, and store a row for every vertebra."""
    people = persons(setting.work / "mask-errors")
    missing = [person for person in people if not person.path.exists()]
    run_all(
        rows_of,
        missing,
        setting.jobs,
        name=lambda person: person.path.stem,
        start=_one_thread,
        progress=setting.progress,
        step="Phantom spines",
    )
    rows = [row for person in people for row in json.loads(person.path.read_text("utf-8"))]
    setting.store(RESULTS, stated(pd.DataFrame(rows)))


def persons(folder: Path) -> list[Person]:
    """List the spines of every preset."""
    return [
        Person(preset, seed, index, folder)
        for preset, (seed, count) in PERSONS.items()
        for index in range(count)
    ]


def rows_of(person: Person) -> None:
    """Grade one person by every mask, and store the rows."""
    made = make_subject(person.preset, person.seed, person.index)
    truth = {VertebraLevel(fact.level): fact for fact in made.truth}
    rng = np.random.default_rng([person.seed, person.index, 78])
    rows = []
    for name, given in conditions(made.image, truth, rng).items():
        said = witnesses(made.image.volume, given)
        for level, fact in truth.items():
            judged_here = given.levels is None or level in given.levels
            if fact.foreign_material or not level.is_graded or not judged_here:
                continue
            rows.append(
                {
                    "preset": person.preset,
                    "subject": person.path.stem,
                    "condition": name,
                    "level": level.value,
                    "grade": fact.grade,
                    "loss": fact.loss,
                    "look_alikes": ",".join(fact.look_alikes),
                    **said.get(level, _SILENT | {"refusal": said.get(None, "not found")}),
                }
            )
    person.path.parent.mkdir(parents=True, exist_ok=True)
    write_json(person.path, [_plain(row) for row in rows])


def conditions(
    image: PhantomImage, truth: Mapping[VertebraLevel, VertebraTruth], rng: np.random.Generator
) -> dict[str, Given]:
    """Return what the scan is graded with, by name: the exact mask, wrong ones, centers alone."""
    levels = [v.level for v in image.vertebrae if v.level in truth]
    broken = frozenset(level for level, fact in truth.items() if fact.grade >= 2)
    exact = WrongMask(image.labels, levels_of(image.labels))
    made = {EXACT: Given(None, exact)}
    made |= {n: Given(None, error(image.labels, rng)) for n, error in SURFACE_ERRORS.items()}
    if pair := pair_to_confuse(levels, broken, rng):
        made[MERGED] = Given(None, merged(image.labels, *pair))
        made[CUT] = Given(None, cut(image.labels, image.body, *pair))
    centers = tuple(_moved(one, rng.normal(0.0, CENTER_ERROR_MM, 3)) for one in image.vertebrae)
    return made | {CENTERS: Given(centers, None)}


def _moved(vertebra: Vertebra, shift_mm: np.ndarray) -> Vertebra:
    x, y, z = np.add(vertebra.centroid_mm, shift_mm)
    return replace(vertebra, centroid_mm=(float(x), float(y), float(z)))


_SILENT: dict[str, Any] = {
    "prototypes": np.nan,
    "prototypes_spread": np.nan,
    "called": "",
    "detector": np.nan,
    "heights": np.nan,
    "heights_broad": np.nan,
    "measured_loss": np.nan,
    "deformity": "",
    "refusal": "",
}


def witnesses(volume: Volume, given: Given) -> dict[VertebraLevel | None, Any]:
    """Let heights and both networks speak of every level; under None why a scan is refused."""
    labels = None if given.mask is None else given.mask.labels
    try:
        spine = scan_vertebrae(volume, labels=labels, centroids=given.centers)
    except (GeometryError, LabelError) as error:
        return {None: str(error)}
    heights, flags = spine.heights(), spine.flags(volume)
    shapes = deformities(heights)
    rows: dict[VertebraLevel | None, Any] = {
        level: _SILENT | _by_heights(heights.get(level)) | {"deformity": shapes.get(level) or ""}
        for level in flags
    }
    for grader in (_grader(SHEETS), _grader(BOXES)):
        for patch in patches_for(grader, volume, spine.vertebrae):
            if (level := patch.vertebra.level).is_graded:
                rows[level] |= _by_network(grader, volume, patch, flags[level])
    return rows


def _by_heights(heights: Heights | None) -> dict[str, Any]:
    spoken = heights_witness(heights)
    if heights is None or spoken is None:
        return {}
    return {
        "heights": spoken.value,
        "heights_broad": spoken.broad,
        "measured_loss": heights.loss,
    }


def _by_network(
    grader: Grader, volume: Volume, patch: Patch, flags: Sequence[str]
) -> dict[str, Any]:
    refusal = not_assessable_reason(flags) or grader.not_assessable(patch, flags)
    sheets = grader.spec.axes == 2
    if refusal:
        return {"refusal": refusal} if sheets else {}
    patches = [patch, *posed_patches(volume, patch, POSES[1:])] if sheets else [patch]
    gradings = grader.grade(patches)
    spoken = network_witness("prototypes" if sheets else "detector", gradings)
    assert spoken is not None
    if not sheets:
        return {"detector": spoken.value}
    called = gradings[0].grade
    return {
        "prototypes": spoken.value,
        "prototypes_spread": spoken.spread,
        "called": called,
    }


@cache
def _grader(name: str) -> Grader:
    return load_grader(name)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Round figures; what was not said is None."""
    return {
        key: (round(value, 4) if np.isfinite(value) else None)
        if isinstance(value, float)
        else value
        for key, value in row.items()
    }


def stated(table: pd.DataFrame) -> dict[str, Any]:
    """Judge every row and return what is stored.

    Parameters
    ----------
    table : DataFrame
        A row for every vertebra and mask.
    """
    numbers = ["prototypes", "prototypes_spread", "detector", "heights", "measured_loss"]
    numbers += [name for name in ("heights_broad",) if name in table]
    table = table.assign(**{name: table[name].astype(float) for name in numbers})
    for name, using in USING.items():
        table[f"verdict_{name}"] = judged(table, stored_calibration(), using)
    infos = [_grader(name).info for name in (SHEETS, BOXES)]
    rows = [_plain(row) for row in table.to_dict("records")]
    return {
        "command": "spinexplain reproduce mask-errors --fresh",
        "models": [
            {"name": i.name, "version": i.version, "sha256": i.weights_sha256} for i in infos
        ],
        "persons": {name: list(pair) for name, pair in PERSONS.items()},
        "run": {str(k): int(v) for k, v in table.groupby("preset")["subject"].nunique().items()},
        "by_mask": by_mask(table),
        "by_look_alike": by_look_alike(table[table["preset"] == "hard"], EXACT),
        "caught": caught(table, EXACT),
        "columns": list(rows[0]),
        "rows": [list(row.values()) for row in rows],
    }
