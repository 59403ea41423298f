"""Whether other ways to hear the same witnesses, or further networks, would serve the verdict.

The rules were written down before any result was seen, in ``docs/decisions/verdict.md``.
``python -m spinexplain.reproduce.verdict_candidates docs/results`` compares again from the stored
tables, and draws nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from spinexplain.analysis.verdict.answers import BenchAnswer, read_answers
from spinexplain.analysis.verdict.bench import BenchScan, read_bench_scan
from spinexplain.analysis.verdict.candidates import (
    CANDIDATES,
    NOW,
    POSTERIOR,
    network_candidates,
    posterior_candidate,
)
from spinexplain.analysis.verdict.crossed import crossed_comparison
from spinexplain.analysis.verdict.fit import SPREAD
from spinexplain.analysis.verdict.stored_table import read_table, rounded, store_table
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.findings.witness import BORDER_LOSS, BROAD, BROAD_UNIT, HEIGHTS, PROTOTYPES
from spinexplain.io.files import atomic_file
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict import planned
from spinexplain.reproduce.verdict_fit import FITTED, TABLE
from spinexplain.workers import run_all

RESULTS = "verdict-candidates.json"
NETWORK_TABLE = "verdict-networks.csv.gz"
"""What each network says of every vertebra of the spines that were drawn for it."""
NETWORKS = (DEFAULT_MODEL, "protoverse-phantom-3", "protoverse-phantom")
PLANNED = 60
_KEYS = ["subject", "level"]


def measure(setting: Setting, share: float = 1.0) -> None:
    """Draw the first fitting spines, ask every network, compare all candidates, store that.

    Parameters
    ----------
    setting : Setting
        Its results hold the table of the study ``verdict``.
    share : float
        Of the spines that are drawn for the networks.
    """
    scans = fitting_scans(setting.work / "verdict-candidates")[: round(share * PLANNED)]
    run_all(
        BenchScan.make,
        [scan for scan in scans if not scan.path.exists()],
        setting.jobs,
        name=lambda scan: f"{scan.group} {scan.index}",
        progress=setting.progress,
        step="Phantom spines",
    )
    measure_stored(setting, [scan.path for scan in scans])


def measure_stored(setting: Setting, paths: Sequence[Path]) -> None:
    """Ask every network about scans that are drawn already, compare, store."""
    folder = setting.work / "verdict-candidates-answers"
    store_table(rounded(network_table(paths, folder)), setting.results / NETWORK_TABLE)
    compare(setting.results)


def fitting_scans(folder: Path) -> list[BenchScan]:
    """List the persons of the fitting groups in the order of drawing, by the mask alone."""
    return [replace(scan, by_mask=True) for scan in planned(folder) if scan.group in FITTED]


def network_table(paths: Sequence[Path], folder: Path) -> pd.DataFrame:
    """Return what every network says of stored scans, a row a vertebra.

    Returns
    -------
    DataFrame
        As :func:`~spinexplain.analysis.verdict.table.witness_table` for the default network,
        with a column and its ``_spread`` for each of :data:`NETWORKS`, and ``heights_posterior``
        (units of the loss against the own posterior wall).
    """
    tables = {name: _answered(name, paths, folder / name) for name in NETWORKS}
    sha256 = load_grader(DEFAULT_MODEL).info.weights_sha256
    found = tables[DEFAULT_MODEL].assign(weights_sha256=sha256)
    for name, said in tables.items():
        mine = said[[*_KEYS, PROTOTYPES, PROTOTYPES + SPREAD]]
        mine = mine.rename(columns={PROTOTYPES: name, PROTOTYPES + SPREAD: name + SPREAD})
        found = found.merge(mine, on=_KEYS, validate="one_to_one")
    return found.merge(_posterior_losses(paths), on=_KEYS, how="left", validate="one_to_one")


def _answered(name: str, paths: Sequence[Path], folder: Path) -> pd.DataFrame:
    """Return what one network says by the masks; answers that are there are taken up."""
    answers = [BenchAnswer(name, path, folder) for path in paths]
    for one in answers:
        if not one.is_current:
            one.make()
    said = read_answers(answers)
    return said[said["route"] == "labels"]


def _posterior_losses(paths: Sequence[Path]) -> pd.DataFrame:
    rows = []
    for path in paths:
        scan, _ = read_bench_scan(path)
        for row in scan["vertebrae"]:
            if row["heights"] is not None and row["route"] == "labels":
                loss = row["heights"]["own_posterior_loss"]
                units = min(max((loss - BORDER_LOSS) / BROAD_UNIT, -4.0), 4.0)
                rows.append({"subject": scan["subject"], "level": row["level"], POSTERIOR: units})
    return pd.DataFrame(rows)


def compare(results: Path) -> Path:
    """Compare all candidates from the stored tables.

    Parameters
    ----------
    results : Path
        Folder with ``verdict-witnesses.csv.gz`` and ``verdict-networks.csv.gz``.
    """
    stored = _heard(read_table(results / TABLE))
    drawn = _heard(read_table(results / NETWORK_TABLE))
    ways = {NOW: CANDIDATES[NOW], **network_candidates(NETWORKS), **posterior_candidate()}
    content = {
        "command": "spinexplain reproduce verdict-candidates --fresh",
        "networks": list(NETWORKS),
        "planned": PLANNED,
        "stored": {**_counted(stored), "ways": crossed_comparison(stored, CANDIDATES, NOW)},
        "drawn": {**_counted(drawn), "ways": crossed_comparison(drawn, ways, NOW)},
    }
    with atomic_file(results / RESULTS) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return results / RESULTS


def _heard(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the fitting spines by their masks, rows where all witnesses speak."""
    rows = table[(table["route"] == "labels") & table["group"].isin(FITTED)]
    rows = rows[rows["refusal"] == ""].dropna(subset=[PROTOTYPES, HEIGHTS + BROAD])
    return rows.reset_index(drop=True)


def _counted(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "spines": int(rows["subject"].nunique()),
        "normal_spines": int(rows[rows["normal"]]["subject"].nunique()),
        "moderate": int((rows["grade"] == 2).sum()),
    }


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
