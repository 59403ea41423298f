"""The study that gives a detector its weight: which spines, what is fitted, and that it ships."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import drawn_person
from spinexplain.findings.weighing import (
    VerdictCalibration,
    as_content,
    from_results,
    read_calibration,
    stored_calibration,
)
from spinexplain.reproduce import verdict_detector
from spinexplain.reproduce.verdict import SCANS
from spinexplain.reproduce.verdict_detector import (
    BOTH,
    FITTED,
    OPPONENTS,
    SHIPPED,
    SHORT_MM,
    SPINES,
    TESTED,
    TOGETHER,
    WAYS,
    WITHOUT,
    planned,
    shipped_sets,
    stated,
)
from spinexplain.reproduce.verdict_fit import fitted
from spinexplain.spine.image_terms import TERMS

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def test_what_chooses_is_not_what_tests():
    assert not set(FITTED) & set(TESTED)
    assert set(FITTED) | set(TESTED) == set(SPINES) <= set(SCANS)


def test_persons_are_the_first_of_their_kind_short_scans_before_long_ones(monkeypatch, tmp_path):
    monkeypatch.setattr(verdict_detector, "SPINES", {"verse-like": (1, 0), "hospital-like": (3, 1)})
    found = [one.spine.scan for one in planned(tmp_path)]
    drawn = [drawn_person(load_preset(s.group), SCANS[s.group][0], s.index) for s in found]
    lengths = [one.length_mm > SHORT_MM for one in drawn]
    assert lengths == sorted(lengths)
    own = {s.index: d for s, d in zip(found, drawn, strict=True) if s.group == "hospital-like"}
    assert sorted(one.is_normal for one in own.values()) == [False, True, True, True]
    last = max(index for index, one in own.items() if one.is_normal)
    preset, (seed, _) = load_preset("hospital-like"), SCANS["hospital-like"]
    assert sum(drawn_person(preset, seed, index).is_normal for index in range(last)) == 2


@pytest.fixture(scope="module")
def table():
    """Sheets that see half of the fractures, a detector that sees the other half, poor heights."""
    rng = np.random.default_rng(0)
    rows = []
    for group in (*FITTED, *TESTED):
        for spine in range(30):
            for level in range(6):
                broken = spine % 2 and level < 2
                grade = (2 + level) if broken else 0
                seen = level == spine // 2 % 2
                rows.append(
                    {
                        "group": group,
                        "subject": f"{group}-{spine}",
                        "normal": not spine % 2,
                        "level": f"L{level}",
                        "route": "labels",
                        "grade": grade,
                        "prototypes": (4.0 if broken and seen else -3.0) + rng.normal(),
                        "prototypes_spread": 0.1,
                        "prototypes_severe": -2.0,
                        "detector": (4.0 if broken and not seen else -3.0) + rng.normal(),
                        "heights": (1.0 if broken else -1.0) + 1.5 * rng.normal(),
                        "measured_loss": 0.1,
                        "deformity": "",
                        "refusal": "",
                        **{f"image_{name}": 1.0 for name in TERMS},
                    }
                )
    found = pd.DataFrame(rows)
    found.loc[5, "detector"] = np.nan
    return found


@pytest.fixture(scope="module")
def found(table):
    """What is stored, by fewer draws than the study takes."""
    sheets = fitted(table.drop(columns="detector"), "p")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdict_detector, "DRAWS", 200)
        return stated(table, {"prototypes": "p", "detector": "d"}, sheets), sheets


def test_a_detector_that_sees_what_the_others_miss_is_found_to_help(found):
    stored, _ = found
    area = stored["differences"][WITHOUT][BOTH]["area"]
    assert area["low"] > 0
    assert stored["differences"][WITHOUT][BOTH]["g2_suspected"]["low"] > 0
    weights = stored["calibration"]["sets"]["prototypes+detector+heights"]["weights"]
    assert min(weights.values()) >= 0
    assert weights["detector"] > 0.3


def test_everything_that_the_page_shows_is_stored(found):
    stored, _ = found
    assert stored["run"] == {name: [15, 15] for name in sorted(SPINES)}
    assert set(stored["tested"]) == {*TESTED, BOTH}
    assert set(stored["tested"][BOTH]) == set(WAYS)
    assert set(stored["differences"]) == set(OPPONENTS)
    assert stored["tested"][BOTH][TOGETHER]["spines"] == 60
    assert stored["fitted_on"]["normal_spines"] == 30
    assert set(stored["calibration"]["sets"]) == {
        "detector",
        "prototypes+detector",
        "detector+heights",
        "prototypes+detector+heights",
    }
    assert set(stored["lines"]) == {*stored["compared_sets"], SHIPPED}
    line = stored["lines"]["heights"]
    assert line["low"] <= line["line"] <= line["high"]
    json.dumps(stored, allow_nan=False)


def test_weights_of_too_few_normal_spines_do_not_ship(table, found, monkeypatch):
    monkeypatch.setattr(verdict_detector, "DRAWS", 20)
    few = table[~(table["normal"] & table["subject"].str.endswith(("0", "2", "4", "6")))]
    stored = stated(few, {"prototypes": "p", "detector": "d"}, found[1])
    assert stored["fitted_on"]["normal_spines"] < stored["least_normal"]
    assert stored["calibration"]["sets"] == {}
    assert "detector" in stored["compared_sets"]


def test_sets_without_a_detector_ship_untouched(found):
    stored, sheets = found
    assert shipped_sets(sheets).sets == sheets.sets
    again = read_calibration(stored["calibration"])
    assert again.models == {"prototypes": "p", "detector": "d"}
    assert isinstance(again, VerdictCalibration)


def test_the_package_holds_the_calibration_of_the_stored_results():
    beside = RESULTS / "verdict-detector.json"
    stored = as_content(stored_calibration())
    assert stored == as_content(
        from_results(RESULTS / "verdict.json", beside if beside.is_file() else None)
    )
    plain = json.loads((RESULTS / "verdict.json").read_text("utf-8"))["calibration"]
    for part in ("sets", "models", "operating_point", "scales", "image"):
        assert {name: stored[part][name] for name in plain[part]} == plain[part]
    assert stored["coverage"] == plain["coverage"]
