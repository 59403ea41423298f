"""Give a detector on boxes its weight in the verdict, and test whether it helps.

Written down before any result was seen (docs/decisions/verdict.md): spines, what is fitted, how
lines are chosen, and what is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.boxes import BoxedScan
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import is_drawn_normal
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict import SCANS
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
study ``verdict`` draws. All normal spines that it fits to are here, since lines depend on them."""
LINES_FIRST = 0.8
"""By as much sooner come the normal spines that lines are chosen on, for a run cut short."""


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


def planned(work: Path) -> list[Asked]:
    """List the spines, mixed, so that all presets and kinds have come equally far at any time."""
    folder, ordered = work / "verdict-boxes", []
    said = {name: folder / "answers" / weights_sha256(name)[:16] for name in (DEFAULT_MODEL, MODEL)}
    for group, counts in SPINES.items():
        for normal, count in zip((True, False), counts, strict=True):
            for place, scan in enumerate(_first(group, normal, count, folder)):
                answers = tuple(BenchAnswer(n, scan.path, to) for n, to in said.items())
                sooner = LINES_FIRST if normal and group in FITTED else 1.0
                ordered.append((sooner * (place + 0.5) / count, Asked(BoxedScan(scan), answers)))
    return [one for _, one in sorted(ordered, key=lambda pair: pair[0])]


def weights_sha256(model: str) -> str:
    """Return the hash that a network is known by in a calibration."""
    return load_grader(model).info.weights_sha256


def _first(group: str, normal: bool, count: int, folder: Path) -> list[BenchScan]:
    """Return the first persons of a preset with, or without, a fracture."""
    seed, of = SCANS[group]
    preset = load_preset(group)
    chosen = [i for i in range(of) if is_drawn_normal(preset, seed, i) == normal][:count]
    return [BenchScan(group, preset, seed, index, folder) for index in chosen]


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
