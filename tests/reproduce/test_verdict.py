"""The study of the verdict: which scans, and that the package holds what it found."""

import json
from pathlib import Path

import pandas as pd
import pytest

from spinexplain.findings.weighing import as_content, stored_calibration
from spinexplain.reproduce.verdict import FITTED, SCANS, TESTED, fitted, group_figures, planned

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "verdict.json"


def test_what_chooses_is_not_what_tests():
    assert not set(FITTED) & set(TESTED)
    assert set(FITTED) | set(TESTED) == set(SCANS)


def test_scans_are_mixed_and_the_two_scanners_see_the_same_persons(tmp_path):
    scans = planned(tmp_path, share=0.1)
    assert {scan.group for scan in scans[:8]} == set(SCANS)
    seeds = {name: {(s.seed, s.index) for s in scans if s.group == name} for name in SCANS}
    assert seeds["shifted-scanner"] == seeds["familiar-scanner"]
    assert len({scan.path for scan in scans}) == len(scans)


def test_the_package_holds_the_calibration_of_the_stored_results():
    content = json.loads(RESULTS.read_text("utf-8"))["calibration"]
    assert as_content(stored_calibration()) == content


@pytest.fixture
def table():
    rows = []
    for group in SCANS:
        for spine in range(12):
            for level in range(6):
                grade = (level == 0) * (spine % 3) + (spine % 3 == 2) * (level == 0)
                for route in ("labels", "centroids", "both"):
                    rows.append(
                        {
                            "group": group,
                            "subject": f"{group}-{spine}",
                            "normal": spine % 3 == 0,
                            "level": f"L{level}",
                            "route": route,
                            "grade": grade,
                            "prototypes": -4.0 + 3 * grade + 0.1 * level,
                            "prototypes_spread": 0.1,
                            "heights": -3.0 + 2 * grade + 0.01 * spine,
                            "measured_loss": 0.05 + 0.12 * grade,
                            "deformity": "",
                            "refusal": "",
                        }
                    )
    return pd.DataFrame(rows)


def test_a_bench_that_is_easily_told_apart_is(table):
    calibration = fitted(table, "abc")
    figures = group_figures(table, "hard", calibration)
    assert figures["together"]["g3_suspected"] == [4, 4]
    assert figures["together"]["false_alarm_spines"][0] == 0
    assert figures["same_by_every_route"]["network"] == [72, 72]
