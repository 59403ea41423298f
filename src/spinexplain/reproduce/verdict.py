"""Fit the verdict to phantom spines, and test it on spines of other presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.figures import judged, same_by_every_route, verdict_figures
from spinexplain.analysis.verdict.fit import fit_sets
from spinexplain.analysis.verdict.table import witness_table
from spinexplain.data.phantom.presets import load_preset
from spinexplain.findings.weighing import VerdictCalibration, as_content
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.workers import run_all

RESULTS = "verdict.json"
MODEL = "protoverse-phantom"
FITTED = ("balanced", "hospital-like")
TESTED = ("verse-like", "hard", "shifted-scanner", "familiar-scanner")
SCANS = {
    "balanced": (6100, 40),
    "hospital-like": (6101, 50),
    "hard": (6102, 70),
    "verse-like": (6103, 80),
    "shifted-scanner": (6104, 30),
    "familiar-scanner": (6104, 30),
}
"""Group -> seed that no training ever sees, and spines. The last two are the same persons."""
OPPONENTS = {"together": (PROTOTYPES, HEIGHTS), "network": (PROTOTYPES,), "heights": (HEIGHTS,)}


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


def measure_stored(setting: Setting, paths: Sequence[Path]) -> None:
    """Fit and test on scans that are drawn already."""
    grader = load_grader(MODEL)
    table = witness_table(grader, paths)
    calibration = fitted(table, grader.info.weights_sha256)
    content = {
        "model": {"name": grader.info.name, "version": grader.info.version},
        "fitted_on": _counts(table[table["group"].isin(FITTED)]),
        "tested": {name: group_figures(table, name, calibration) for name in TESTED},
    }
    setting.store(RESULTS, {**content, "calibration": as_content(calibration)})


def _name(scan: BenchScan) -> str:
    return f"{scan.group} {scan.index}"


def planned(folder: Path, share: float = 1.0) -> list[BenchScan]:
    """List the scans of every group, mixed, so that all have come equally far at any time."""
    scans = []
    for name, (seed, count) in SCANS.items():
        preset = load_preset("shifted-scanner" if name == "familiar-scanner" else name)
        if name == "familiar-scanner":
            preset = replace(preset, scanner=load_preset("balanced").scanner)
        number = max(round(share * count), 1)
        scans += [
            ((index + 0.5) / number, BenchScan(name, preset, seed, index, folder))
            for index in range(number)
        ]
    return [scan for _, scan in sorted(scans, key=lambda pair: pair[0])]


def fitted(table: pd.DataFrame, weights_sha256: str) -> VerdictCalibration:
    """Fit every set of witnesses on the choosing presets, by the route with a mask."""
    chosen = table[table["group"].isin(FITTED) & (table["route"] == "labels")]
    return VerdictCalibration({PROTOTYPES: weights_sha256}, fit_sets(chosen), _counts(chosen))


def group_figures(
    table: pd.DataFrame, group: str, calibration: VerdictCalibration
) -> dict[str, Any]:
    """Return the figures of one group: all witnesses, each alone, and the three routes."""
    rows = table[table["group"] == group]
    by_mask = rows[rows["route"] == "labels"]
    figures: dict[str, Any] = {
        name: verdict_figures(by_mask, judged(by_mask, calibration, using))
        for name, using in OPPONENTS.items()
    }
    figures["same_by_every_route"] = {
        name: same_by_every_route(rows, judged(rows, calibration, OPPONENTS[name]))
        for name in ("together", "network")
    }
    return figures


def _counts(table: pd.DataFrame) -> dict[str, Any]:
    by_mask = table[table["route"] == "labels"]
    return {
        "presets": sorted(by_mask["group"].unique()),
        "spines": int(by_mask["subject"].nunique()),
        "normal_spines": int(by_mask[by_mask["normal"]]["subject"].nunique()),
        "vertebrae": len(by_mask),
        "grades": {str(k): int(v) for k, v in by_mask["grade"].value_counts().items()},
    }
