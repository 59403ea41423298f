"""Candidates of the verdict from stored tables, and what networks say of drawn scans."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict import crossed
from spinexplain.analysis.verdict.bench import BenchScan
from spinexplain.analysis.verdict.candidates import CANDIDATES, POSTERIOR
from spinexplain.analysis.verdict.stored_table import rounded, store_table
from spinexplain.data.phantom.presets import load_preset
from spinexplain.reproduce.verdict_candidates import (
    NETWORK_TABLE,
    NETWORKS,
    RESULTS,
    TABLE,
    compare,
    fitting_scans,
    network_table,
)


def table():
    rng = np.random.default_rng(0)
    spine = np.repeat(np.arange(24), 5)
    grade = np.where((spine % 2 == 1) & (np.arange(120) % 2 == 0), 2 + spine % 3 % 2, 0)
    loss = 0.05 + 0.1 * grade + rng.normal(0, 0.02, 120)
    made = pd.DataFrame(
        {
            "group": np.where(spine % 3 == 0, "balanced", "hospital-like"),
            "subject": [f"s{k}" for k in spine],
            "normal": spine % 2 == 0,
            "level": [f"L{1 + k % 5}" for k in range(120)],
            "route": "labels",
            "grade": grade,
            "prototypes": 2.0 * grade - 3 + rng.normal(0, 1, 120),
            "prototypes_spread": 0.2,
            "prototypes_severe": 2.0 * grade - 5 + rng.normal(0, 1, 120),
            "heights": (loss - 0.225) / 0.07,
            "heights_broad": (loss - 0.225) / 0.06,
            POSTERIOR: (loss - 0.225) / 0.06,
            "measured_loss": loss,
            "refusal": "",
        }
    )
    for name in NETWORKS:
        made[name], made[f"{name}_spread"] = made["prototypes"], 0.2
    return rounded(made)


def test_stored_tables_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(crossed, "TIMES", 1)
    store_table(table(), tmp_path / TABLE)
    store_table(table(), tmp_path / NETWORK_TABLE)
    monkeypatch.setattr(
        "spinexplain.reproduce.verdict_candidates.CANDIDATES",
        {name: CANDIDATES[name] for name in ("as it is", "heights alone")},
    )
    found = json.loads(compare(tmp_path).read_text("utf-8"))
    assert (tmp_path / RESULTS).is_file()
    assert found["stored"]["spines"] == found["drawn"]["spines"] == 24
    assert set(found["stored"]["ways"]) == {"as it is", "heights alone"}
    same = found["drawn"]["ways"][f"mean of {NETWORKS[0]} and {NETWORKS[1]}"]
    assert same["suspected"]["gain"] == pytest.approx(0.0)


def test_persons_are_those_of_the_fit_by_their_masks(tmp_path):
    scans = fitting_scans(tmp_path)
    assert {scan.group for scan in scans} == {"balanced", "hospital-like"}
    assert all(scan.by_mask for scan in scans)


def test_every_network_is_asked(tmp_path):
    preset = load_preset("balanced")
    small = replace(preset, field=replace(preset.field, spans=("L1-L4",)))
    scan = BenchScan("balanced", small, 12, 0, tmp_path, by_mask=True)
    scan.make()
    found = network_table([scan.path], tmp_path / "answers")
    assert {*NETWORKS, POSTERIOR, "weights_sha256"} <= set(found)
    np.testing.assert_allclose(found[NETWORKS[0]], found["prototypes"])
    assert not np.allclose(found[NETWORKS[0]], found[NETWORKS[1]])
