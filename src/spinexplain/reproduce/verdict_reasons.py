"""Which rule of the verdict would have caught the network's false alarms and misses.

Written down before any result was seen: phantom spines of the preset ``hard`` (those of the
study ``verdict``), graded by the exact mask; the shipped network and the shipped weights. What
the witnesses said is taken from that study's stored table where it is of this network. A
false alarm is caught where the verdict is not *fracture suspected*, a miss where it is
*suspected* or *borderline*. What the same rules do to vertebrae that the network grades rightly
stands beside: a rule that doubts everything catches everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.figures import judged, judged_fully
from spinexplain.analysis.verdict.stored_table import read_table
from spinexplain.analysis.verdict.table import witness_table
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.findings.verdict import BORDERLINE, NOT_ASSESSABLE, SUSPECTED
from spinexplain.findings.weighing import VerdictCalibration, stored_calibration
from spinexplain.findings.witness import HEIGHTS
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.verdict import SCANS, planned
from spinexplain.reproduce.verdict_fit import TABLE
from spinexplain.workers import run_all

RESULTS = "verdict-reasons.json"
GROUP = "hard"
KINDS = ("false_alarm", "right_healthy", "missed", "found")


def measure(setting: Setting) -> None:
    """Take what the witnesses said, or ask them; give the verdict, count the rules that decided."""
    info = load_grader(DEFAULT_MODEL).info
    stored = [
        stored_answers(folder / TABLE, info.weights_sha256)
        for folder in (setting.results, setting.checkout / "docs" / "results")
    ]
    table = next((one for one in stored if one is not None), None)
    witnesses = {"witnesses": "asked" if table is None else "stored"}
    table = asked(setting) if table is None else table
    model = {"name": info.name, "version": info.version}
    setting.store(RESULTS, stated(table, stored_calibration(), model) | witnesses)


def stored_answers(path: Path, weights_sha256: str) -> pd.DataFrame | None:
    """Return what the witnesses said in the study ``verdict``; None if not with this network."""
    if not path.is_file():
        return None
    table = read_table(path)
    own = table[(table["group"] == GROUP) & (table["weights_sha256"] == weights_sha256)]
    return own if own["subject"].nunique() == SCANS[GROUP][1] else None


def asked(setting: Setting) -> pd.DataFrame:
    """Draw the spines that are missing, and let network and heights speak."""
    scans = [scan for scan in planned(setting.work / "verdict-bench") if scan.group == GROUP]
    missing = [scan for scan in scans if not scan.path.exists()]
    run_all(
        BenchScan.make,
        missing,
        setting.jobs,
        name=lambda scan: f"{scan.group} {scan.index}",
        progress=setting.progress,
        step="Phantom spines",
    )
    return witness_table(load_grader(DEFAULT_MODEL), [scan.path for scan in scans])


def stated(
    table: pd.DataFrame, calibration: VerdictCalibration, model: dict[str, str]
) -> dict[str, Any]:
    """Return the counts with what made them."""
    rows = reasoned(table, calibration)
    mistakes = rows[rows["kind"].isin(("false_alarm", "missed"))]
    return {
        "command": "spinexplain reproduce verdict-reasons --fresh",
        "model": model,
        "group": GROUP,
        "seed": SCANS[GROUP][0],
        "spines": int(table["subject"].nunique()),
        "kinds": {kind: int((rows["kind"] == kind).sum()) for kind in KINDS},
        "caught": {kind: int(rows["caught"][rows["kind"] == kind].sum()) for kind in KINDS},
        "reasons": counted(rows, "decided"),
        "heights_deny": counted(rows[rows["heights_deny"]], "heights_word"),
        "opponents": opponents(rows, calibration),
        "look_alikes": by_look_alike(mistakes),
    }


def reasoned(table: pd.DataFrame, calibration: VerdictCalibration) -> pd.DataFrame:
    """Return the vertebrae graded by their mask with the verdict and what it does to the network.

    Returns
    -------
    DataFrame
        Of the table, mild fractures and refused vertebrae left out, with ``kind`` (one of
        :data:`KINDS`), ``state``, ``decided`` (state and rule), ``caught`` (the verdict is not
        what the network says), ``heights_deny`` and ``heights_word``.
    """
    rows = table[(table["route"] == "labels") & (table["grade"] != 1) & (table["refusal"] == "")]
    rows = rows[rows["called"] != ""].copy()
    alarm, fractured = rows["called"] != "G0", rows["grade"] >= 2
    rows["kind"] = np.where(
        fractured,
        np.where(alarm, "found", "missed"),
        np.where(alarm, "false_alarm", "right_healthy"),
    )
    verdicts = judged_fully(rows, calibration)
    rows["state"] = [verdict.state for verdict in verdicts]
    rows["decided"] = [f"{verdict.state}: {verdict.reason}" for verdict in verdicts]
    suspected = rows["state"] == SUSPECTED
    noticed = suspected | (rows["state"] == BORDERLINE)
    spoken = rows["state"] != NOT_ASSESSABLE
    rows["caught"] = np.where(alarm, ~suspected, noticed) & spoken
    denied = [any(t.witness == "heights" and t.log_odds < 0 for t in v.terms) for v in verdicts]
    rows["heights_deny"] = np.array(denied, bool)
    rows["heights_word"] = "heights speak against a fracture"
    return rows


def opponents(rows: pd.DataFrame, calibration: VerdictCalibration) -> dict[str, dict[str, Any]]:
    """Count what simpler rules catch, and what they cost.

    Parameters
    ----------
    rows : DataFrame
        Of :func:`reasoned`.
    calibration : VerdictCalibration
        Its weighing of heights alone has lines of its own.

    Returns
    -------
    dict
        ``heights alone``: their verdict in place of all witnesses'. ``doubt where they differ``:
        *borderline* where the network calls a fracture and heights do not, or the other way
        round. Of each ``caught`` by kind, as of the verdict, and the ``dismissed`` false alarms,
        which are neither *suspected* nor *borderline*.
    """
    states = judged(rows, calibration, (HEIGHTS,))
    alarm, suspected = rows["called"] != "G0", states == SUSPECTED
    noticed = suspected | (states == BORDERLINE)
    alone: dict[str, Any] = {
        "caught": _by_kind(rows, pd.Series(np.where(alarm, ~suspected, noticed), rows.index)),
        "dismissed": int((~noticed & (rows["kind"] == "false_alarm")).sum()),
    }
    differ: dict[str, Any] = {"caught": _by_kind(rows, alarm != suspected), "dismissed": 0}
    return {"heights alone": alone, "doubt where they differ": differ}


def _by_kind(rows: pd.DataFrame, chosen: pd.Series) -> dict[str, int]:
    return {kind: int((chosen & (rows["kind"] == kind)).sum()) for kind in KINDS}


def counted(rows: pd.DataFrame, column: str) -> dict[str, dict[str, int]]:
    """Count each value of a column in every kind of vertebra."""
    return {
        str(value): {kind: int((own["kind"] == kind).sum()) for kind in KINDS}
        for value, own in sorted(rows.groupby(column), key=lambda pair: -len(pair[1]))
    }


def by_look_alike(mistakes: pd.DataFrame) -> dict[str, dict[str, list[int]]]:
    """Return, by look-alike, caught mistakes of all; a vertebra with several counts in each."""
    kinds = mistakes["look_alikes"].fillna("").str.split(",")
    found = {}
    for kind in sorted({kind for listed in kinds for kind in listed}):
        mine = mistakes[[kind in listed for listed in kinds]]
        found[kind or "none"] = {
            name: [
                int(mine["caught"][mine["kind"] == name].sum()),
                int((mine["kind"] == name).sum()),
            ]
            for name in ("false_alarm", "missed")
        }
    return found
