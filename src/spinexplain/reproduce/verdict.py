"""Fit the verdict to phantom spines, and test it on spines of other presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.stored_table import rounded, store_table
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.presets import load_preset
from spinexplain.models.bundle.folder import locate, read_description, shipped_models
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict_fit import NEW, RESULTS, TABLE, stated
from spinexplain.workers import run_all

SCANS = {
    "balanced": (6100, 80),
    "hospital-like": (6101, 100),
    "hard": (6102, 70),
    "verse-like": (6103, 80),
    "shifted-scanner": (6104, 30),
    "familiar-scanner": (6104, 30),
    "hard-new": (6105, 32),
    "verse-like-new": (6106, 31),
}
"""Group -> seed that no training ever sees, and spines. Those of one seed are the same persons;
new persons are taken by the mask alone."""


def measure(setting: Setting, share: float = 1.0) -> None:
    """Draw what is missing, fit on two presets, test on the others, store both.

    Parameters
    ----------
    setting : Setting
    share : float
        Of the scans of every group; the first ones are taken.
    """
    scans = planned(setting.work / "verdict-bench", share)
    missing = [scan for scan in scans if not scan.path.exists()]
    run_all(
        BenchScan.make,
        missing,
        setting.jobs,
        name=_name,
        progress=setting.progress,
        step="Phantom spines",
    )
    measure_stored(setting, [scan.path for scan in scans])


def measure_stored(
    setting: Setting,
    paths: Sequence[Path],
    model: str = DEFAULT_MODEL,
    beside: Sequence[str] | None = None,
) -> None:
    """Ask networks about scans that are drawn already, fit, test and store.

    Parameters
    ----------
    setting : Setting
    paths : sequence of Path
        Stored scans.
    model : str
        The network whose calibration is stored to ship.
    beside : sequence of str, optional
        Networks whose figures stand beside its, with weights of their own; by default all that
        ship and take sheets.
    """
    names = dict.fromkeys((model, *(sheet_models() if beside is None else beside)))
    found = {name: measured_model(setting, paths, name) for name in names}
    compared = {name: {key: one[key] for key in ("model", "tested")} for name, one in found.items()}
    setting.store(RESULTS, {**found[model], "compared": compared})


def sheet_models() -> list[str]:
    """Name the shipped networks on sheets."""
    return [n for n in shipped_models() if read_description(locate(n)).input.axes == 2]


def measured_model(setting: Setting, paths: Sequence[Path], model: str) -> dict[str, Any]:
    """Ask one network about stored scans, fit its verdict and test it.

    An interrupted run goes on where it stopped; a scan that was drawn again is asked again.
    """
    info = load_grader(model).info
    folder = setting.work / "verdict-answers" / info.weights_sha256[:16]
    answers = [BenchAnswer(model, path, folder) for path in paths]
    run_all(
        BenchAnswer.make,
        [one for one in answers if not one.is_current],
        setting.jobs,
        progress=setting.progress,
        step=f"Asking {info.name} {info.version}",
    )
    table = rounded(read_answers(answers).assign(weights_sha256=info.weights_sha256))
    if model == DEFAULT_MODEL:
        store_table(table, setting.results / TABLE)
    return {
        "model": {"name": info.name, "version": info.version},
        **stated(table, info.weights_sha256),
    }


def _name(scan: BenchScan) -> str:
    return f"{scan.group} {scan.index}"


def planned(folder: Path, share: float = 1.0) -> list[BenchScan]:
    """List the scans of every group, mixed, so that all have come equally far at any time."""
    scans = []
    for name, (seed, count) in SCANS.items():
        preset = load_preset({**NEW, "familiar-scanner": "shifted-scanner"}.get(name, name))
        if name == "familiar-scanner":
            preset = replace(preset, scanner=load_preset("balanced").scanner)
        by_mask = name in NEW
        number = max(round(share * count), 1)
        scans += [
            ((index + 0.5) / number, BenchScan(name, preset, seed, index, folder, by_mask))
            for index in range(number)
        ]
    return [scan for _, scan in sorted(scans, key=lambda pair: pair[0])]
