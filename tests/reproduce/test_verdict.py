"""The study of the verdict: which scans, and that the package holds what it found."""

import numpy as np
import pandas as pd
import pytest

from spinexplain.reproduce.verdict import (
    FITTED,
    SCANS,
    TESTED,
    fitted,
    group_figures,
    planned,
    set_figures,
)
from spinexplain.spine.image_terms import TERMS


def test_what_chooses_is_not_what_tests():
    assert not set(FITTED) & set(TESTED)
    assert set(FITTED) | set(TESTED) == set(SCANS)


def test_scans_are_mixed_and_the_two_scanners_see_the_same_persons(tmp_path):
    scans = planned(tmp_path, share=0.1)
    assert {scan.group for scan in scans[:8]} == set(SCANS)
    seeds = {name: {(s.seed, s.index) for s in scans if s.group == name} for name in SCANS}
    assert seeds["shifted-scanner"] == seeds["familiar-scanner"]
    assert len({scan.path for scan in scans}) == len(scans)


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
                            "prototypes_severe": -6.0 + 2 * grade,
                            "deformity": "",
                            "refusal": "",
                            **{f"image_{name}": 1.0 + 0.01 * spine for name in TERMS},
                        }
                    )
    return pd.DataFrame(rows)


def test_a_bench_that_is_easily_told_apart_is(table):
    calibration = fitted(table, "abc")
    figures = group_figures(table, "hard", calibration)
    assert figures["together"]["g3_suspected"] == [4, 4]
    assert figures["together"]["false_alarm_spines"][0] == 0
    assert figures["same_by_every_route"]["network"] == [72, 72]


def test_sets_of_a_scan_unlike_the_others_are_wider(table):
    calibration = fitted(table, "abc")
    assert set(calibration.scales) == {"prototypes", "heights", "prototypes+heights"}
    assert len(calibration.operating_point["calibrated_on"]["table_sha256"]) == 64
    table.loc[table["group"] == "shifted-scanner", "image_noise_hu"] = 99.0
    found = {name: set_figures(table, name, calibration) for name in TESTED}
    assert found["familiar-scanner"]["beyond"] == 0
    shifted = found["shifted-scanner"]
    assert shifted["beyond"] == shifted["vertebrae"] == shifted["terms"]["noise_hu"] == 72
    # so few vertebrae of a grade leave its range open; what is beyond is never narrower
    assert shifted["sets"]["sizes"]["1"] <= shifted["not_widened"]["sizes"]["1"]
    for name in ("hard", "verse-like"):
        held, of = np.sum(list(found[name]["sets"]["covered"].values()), axis=0)
        assert of == 72
        assert held >= 0.8 * of
