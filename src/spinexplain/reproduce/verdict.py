"""Fit the verdict to phantom spines, and test it on spines of other presets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.coverage import (
    beyond_terms,
    coverage_figures,
    crossed_sets,
    graded_sets,
    heard,
    is_beyond,
    sets_by_score,
    widened_where,
)
from spinexplain.analysis.verdict.figures import judged, same_by_every_route, verdict_figures
from spinexplain.analysis.verdict.fit import fit_sets
from spinexplain.analysis.verdict.severity import COVERAGE, calibrated, fit_scales, usual_image
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.presets import load_preset
from spinexplain.findings.weighing import VerdictCalibration, as_content
from spinexplain.findings.witness import HEIGHTS, PROTOTYPES
from spinexplain.models.bundle.folder import locate, read_description, shipped_models
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.workers import run_all

RESULTS = "verdict.json"
FITTED = ("balanced", "hospital-like")
TESTED = ("verse-like", "hard", "shifted-scanner", "familiar-scanner")
CALIBRATED = ("verse-like", "hard")
"""No training has these presets. Sets of their own spines come from the other half of them."""
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
    table = read_answers(answers)
    calibration = fitted(table, info.weights_sha256)
    return {
        "model": {"name": info.name, "version": info.version},
        "fitted_on": counts(table[table["group"].isin(FITTED)]),
        "tested": {name: group_figures(table, name, calibration) for name in TESTED},
        "coverage": {name: set_figures(table, name, calibration) for name in TESTED},
        "calibration": as_content(calibration),
    }


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
    """Fit every set of witnesses on the choosing presets, by the route with a mask.

    Weights, lines and the score of severity come from the choosing presets, each grade's range
    of severity from presets of no training, the usual image from both.
    """
    by_mask = table[table["route"] == "labels"]
    chosen = by_mask[by_mask["group"].isin(FITTED)]
    holding = _assessable(by_mask[by_mask["group"].isin(CALIBRATED)])
    fitted_on = counts(chosen)
    return VerdictCalibration(
        {PROTOTYPES: weights_sha256},
        fit_sets(chosen),
        {
            **fitted_on,
            "sets_fitted_on": fitted_on,
            "calibrated_on": {**counts(holding), "table_sha256": table_hash(holding)},
        },
        calibrated(fit_scales(_assessable(chosen)), holding),
        COVERAGE,
        usual_image(pd.concat([_assessable(chosen), holding])),
    )


def table_hash(table: pd.DataFrame) -> str:
    """Hash which vertebrae a table holds and what each witness says of them."""
    lines = table.sort_values(["group", "subject", "level"]).to_csv(
        index=False, float_format="%.6g"
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def set_figures(table: pd.DataFrame, group: str, calibration: VerdictCalibration) -> dict[str, Any]:
    """Return how often sets of grades hold the true one: as shipped, not widened, by opponents.

    Spines of the calibrating presets are judged by the other half of those; all others by the
    ranges that ship.
    """
    by_mask = _assessable(table[table["route"] == "labels"])
    rows = by_mask[by_mask["group"] == group]
    rows = rows[[bool(heard(row, (PROTOTYPES,))) for row in rows.to_dict("records")]]
    if group in CALIBRATED:
        holding = by_mask[by_mask["group"].isin(CALIBRATED)]
        holding = holding[holding[PROTOTYPES].notna()]
        own = (holding["group"] == group).to_numpy()
        crossed = crossed_sets(holding, calibration.scales)
        plain = [one for one, here in zip(crossed, own, strict=True) if here]
        rows = holding[own]
    else:
        plain = graded_sets(rows, calibration.scales)
    beyond = is_beyond(rows, calibration.image)
    return {
        "vertebrae": len(rows),
        "beyond": int(beyond.sum()),
        "terms": beyond_terms(rows, calibration.image),
        "sets": coverage_figures(rows, widened_where(plain, beyond)),
        "not_widened": coverage_figures(rows, plain),
        "by_score": coverage_figures(rows, sets_by_score(rows)),
        "constant": coverage_figures(rows, [("G0",)] * len(rows)),
    }


def _assessable(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["refusal"] == ""]


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


def counts(table: pd.DataFrame) -> dict[str, Any]:
    """Count what a table of witnesses holds by the route with a mask, for the page."""
    by_mask = table[table["route"] == "labels"]
    return {
        "presets": sorted(by_mask["group"].unique()),
        "spines": int(by_mask["subject"].nunique()),
        "normal_spines": int(by_mask[by_mask["normal"]]["subject"].nunique()),
        "vertebrae": len(by_mask),
        "grades": {str(k): int(v) for k, v in by_mask["grade"].value_counts().items()},
    }
