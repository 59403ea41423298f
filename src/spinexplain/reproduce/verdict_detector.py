"""Give a detector on boxes its weight in the verdict, and test whether it helps.

Written down before any result was seen (docs/decisions/verdict.md): spines, what is fitted, how
lines are chosen, and what is tested.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.boxes import BoxedScan
from spinexplain.analysis.verdict.figures import judged_fully, verdict_figures
from spinexplain.analysis.verdict.fit import fit_sets
from spinexplain.analysis.verdict.paired import line_range, paired_differences
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import DrawnPerson, drawn_person
from spinexplain.findings.verdict import Verdict
from spinexplain.findings.weighing import VerdictCalibration, as_content, stored_calibration
from spinexplain.findings.witness import DETECTOR, HEIGHTS, PROTOTYPES
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict import SCANS
from spinexplain.reproduce.verdict_fit import counts
from spinexplain.workers import run_all

RESULTS = "verdict-detector.json"
MODEL = "detector-phantom"
FITTED, TESTED = ("balanced", "hospital-like"), ("hard", "verse-like")
SPINES = {
    "balanced": (17, 8),
    "hospital-like": (19, 12),
    "hard": (12, 14),
    "verse-like": (12, 16),
}
"""Preset -> normal spines, spines with a fracture: the first of each kind among those that the
study ``verdict`` draws: all normal ones among its first 40 and 50, since lines depend on them."""
PAIR = f"{PROTOTYPES}+{HEIGHTS}"
TOGETHER, WITHOUT, SHIPPED, BOTH = "together", "without", "shipped", "both"
WAYS: dict[str, tuple[str, ...]] = {
    TOGETHER: (PROTOTYPES, DETECTOR, HEIGHTS),
    WITHOUT: (PROTOTYPES, HEIGHTS),
    SHIPPED: (PROTOTYPES, HEIGHTS),
    "prototypes+detector": (PROTOTYPES, DETECTOR),
    "detector+heights": (DETECTOR, HEIGHTS),
    DETECTOR: (DETECTOR,),
    HEIGHTS: (HEIGHTS,),
}
"""Way to the verdict -> the witnesses heard. All are fitted to these spines but what ships of
prototypes and heights."""
DRAWS = 2000
LEAST_NORMAL = 20
"""Normal spines to fit from which weights ship: of fewer, 5 of 100 allows none at all."""
OPPONENTS = (WITHOUT, SHIPPED, HEIGHTS)
SHORT_MM = 300.0
"""Scans up to this long, of about eight levels, are drawn first."""
LINES_FIRST = 0.5
"""Normal spines that lines are chosen on come at twice the pace, for a run that is cut short."""


@dataclass(frozen=True)
class Asked:
    """One spine to be drawn, and both networks that are asked about it."""

    spine: BoxedScan
    answers: tuple[BenchAnswer, ...]

    @property
    def is_done(self) -> bool:
        """Whether it is drawn, and both have answered."""
        return self.spine.is_stored and all(one.is_current for one in self.answers)

    def make(self) -> None:
        """Draw and ask what is missing."""
        if not self.spine.is_stored:
            self.spine.make()
        for one in self.answers:
            if not one.is_current:
                one.make()


def measure(setting: Setting) -> None:
    """Draw what is missing, ask both networks, fit, test and store."""
    spines = planned(setting.work)
    run_all(
        Asked.make,
        [one for one in spines if not one.is_done],
        setting.jobs,
        name=lambda one: f"{one.spine.scan.group} {one.spine.scan.index}",
        start=_one_thread,
        progress=setting.progress,
        step="Phantom spines",
    )
    measure_stored(setting, spines)


def measure_stored(setting: Setting, spines: Sequence[Asked]) -> None:
    """Fit, test and store by spines that are drawn and asked already."""
    table = read_table(spines)
    hashes = {PROTOTYPES: weights_sha256(DEFAULT_MODEL), DETECTOR: weights_sha256(MODEL)}
    setting.store(RESULTS, stated(table, hashes, shipped_sets(stored_calibration())))


def read_table(spines: Sequence[Asked]) -> pd.DataFrame:
    """Put what both networks and the heights say side by side."""
    sheets, boxes = (read_answers(said) for said in zip(*(s.answers for s in spines), strict=True))
    return sheets.merge(boxes, how="left", on=["group", "subject", "route", "level"])


def shipped_sets(calibration: VerdictCalibration) -> VerdictCalibration:
    """Keep the sets without a detector, which another study fits to more spines."""
    sets = {name: one for name, one in calibration.sets.items() if DETECTOR not in name.split("+")}
    return replace(calibration, sets=sets)


def stated(
    table: pd.DataFrame, models: Mapping[str, str], shipped: VerdictCalibration
) -> dict[str, Any]:
    """Fit every set to the fitting spines, test them on the others, and return what is stored.

    Parameters
    ----------
    table : DataFrame
        Of :func:`read_table`.
    models : mapping of str to str
        Witness -> hash of its network's weights.
    shipped : VerdictCalibration
        Sets without a detector, as they come with the package.
    """
    chosen, tested = (table[table["group"].isin(names)] for names in (FITTED, TESTED))
    own = VerdictCalibration(models, fit_sets(chosen))
    fitted_on = counts(chosen)
    ships = {} if fitted_on["normal_spines"] < LEAST_NORMAL else own.sets
    ships = {name: one for name, one in ships.items() if DETECTOR in name.split("+")}
    content = as_content(replace(own, sets=ships))
    verdicts = {
        name: judged_fully(tested, shipped if name == SHIPPED else own, using)
        for name, using in WAYS.items()
    }
    groups = {name: (tested["group"] == name).to_numpy() for name in TESTED}
    groups[BOTH] = np.ones(len(tested), bool)
    return {
        "command": "spinexplain reproduce verdict-detector --fresh",
        "models": {PROTOTYPES: _named(DEFAULT_MODEL), DETECTOR: _named(MODEL)},
        "planned": {name: list(pair) for name, pair in SPINES.items()},
        "run": _run(table),
        "fitted_on": fitted_on,
        "least_normal": LEAST_NORMAL,
        "calibration": {name: content[name] for name in ("models", "sets")},
        "compared_sets": as_content(own)["sets"],
        "tested": {name: _tested(tested, at, verdicts) for name, at in groups.items()},
        "differences": {
            opponent: {
                name: _differences(tested, at, verdicts, opponent) for name, at in groups.items()
            }
            for opponent in OPPONENTS
        },
        "lines": {
            **{name: line_range(chosen, one, tested) for name, one in own.sets.items()},
            SHIPPED: line_range(chosen, shipped.sets[PAIR], tested),
        },
    }


def _named(model: str) -> dict[str, str]:
    info = load_grader(model).info
    return {"name": info.name, "version": info.version}


def _run(table: pd.DataFrame) -> dict[str, list[int]]:
    """Count spines of every preset, those without a fracture in view first."""
    normal = table.groupby(["group", "subject"])["normal"].any().groupby("group")
    return {str(name): [int(n.sum()), int((~n).sum())] for name, n in normal}


def _tested(
    table: pd.DataFrame, at: np.ndarray, verdicts: Mapping[str, Sequence[Verdict]]
) -> dict[str, Any]:
    """Return the figures of every way to the verdict on chosen rows."""
    rows = table[at]
    return {
        name: verdict_figures(rows, _states(rows, itertools.compress(said, at)))
        for name, said in verdicts.items()
    }


def _states(rows: pd.DataFrame, said: Iterable[Verdict]) -> pd.Series:
    return pd.Series([one.state for one in said], index=rows.index, dtype=object)


def _differences(
    table: pd.DataFrame,
    at: np.ndarray,
    verdicts: Mapping[str, Sequence[Verdict]],
    opponent: str,
) -> dict[str, Any]:
    sides = [list(itertools.compress(verdicts[name], at)) for name in (TOGETHER, opponent)]
    return paired_differences(table[at], sides[0], sides[1], draws=DRAWS)


def planned(work: Path) -> list[Asked]:
    """List the spines, mixed, those of short scans first: long ones take five times as long."""
    folder, ordered = work / "verdict-boxes", []
    said = {name: folder / "answers" / weights_sha256(name)[:16] for name in (DEFAULT_MODEL, MODEL)}
    for group, spines in SPINES.items():
        for normal, count in zip((True, False), spines, strict=True):
            pace = LINES_FIRST if normal and group in FITTED else 1.0
            for key, scan in _paced(_first(group, normal, count, folder)):
                answers = tuple(BenchAnswer(n, scan.path, to) for n, to in said.items())
                ordered.append(((key[0], pace * key[1]), Asked(BoxedScan(scan), answers)))
    return [one for _, one in sorted(ordered, key=lambda pair: pair[0])]


def _paced(scans: Sequence[BenchScan]) -> list[tuple[tuple[bool, float], BenchScan]]:
    """Give each scan its place: whether it is long, and how far down among those alike."""
    is_long = [_person(one.group, one.index).length_mm > SHORT_MM for one in scans]
    return [
        ((long, (is_long[:place].count(long) + 0.5) / is_long.count(long)), scan)
        for place, (long, scan) in enumerate(zip(is_long, scans, strict=True))
    ]


def weights_sha256(model: str) -> str:
    """Return the hash that a network is known by in a calibration."""
    return load_grader(model).info.weights_sha256


def _first(group: str, normal: bool, count: int, folder: Path) -> list[BenchScan]:
    """Return the first persons of a preset with, or without, a fracture."""
    seed, of = SCANS[group]
    chosen = (i for i in range(of) if _person(group, i).is_normal == normal)
    preset = load_preset(group)
    return [
        BenchScan(group, preset, seed, index, folder) for index in itertools.islice(chosen, count)
    ]


@cache
def _person(group: str, index: int) -> DrawnPerson:
    return drawn_person(load_preset(group), SCANS[group][0], index)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
