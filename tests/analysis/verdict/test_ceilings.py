"""Bounds by the best line, on tables that fit on paper."""

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.ceilings import (
    at_other_lines,
    ceilings,
    line_allowing,
    stated_ceilings,
)
from spinexplain.findings.weighing import VerdictCalibration, Weighing

BOTH = Weighing(0.0, {"prototypes": 1.0, "heights": 1.0}, 5.0, 0.0, True)
CALIBRATION = VerdictCalibration(
    {"prototypes": "a"},
    {
        "prototypes": Weighing(0.0, {"prototypes": 1.0}, 1.0, 0.0, True),
        "heights": Weighing(0.0, {"heights": 1.0}, 1.0, 0.0, True),
        "prototypes+heights": BOTH,
    },
)


def rows():
    normal = [(f"n{k}", True, 0, -3.0, -2.0 + 0.1 * k) for k in range(10)]
    broken = [(f"f{k}", False, 2, -1.0, -1.0 + k) for k in range(5)]
    unmeasured = [("f9", False, 2, 2.0, np.nan)]
    columns = ["subject", "normal", "grade", "prototypes", "heights"]
    made = pd.DataFrame([*normal, *broken, *unmeasured], columns=columns)
    return made.assign(prototypes_spread=0.0, refusal="")


def test_the_best_line_is_chosen_on_these_rows():
    found = ceilings(rows(), CALIBRATION, 0.10)
    # as shipped only the unmeasured one is called, by the network alone
    assert found["as_shipped"] == {"suspected": [1, 6], "alarms": [0, 10]}
    assert found["best_line"] == {"suspected": [6, 6], "alarms": [1, 10]}
    assert found["fitted"]["suspected"] == [6, 6]
    assert found["heights"]["suspected"][1] == 5


def test_a_spine_called_without_heights_uses_up_what_is_allowed():
    loud = pd.DataFrame([("n0", True, 0, 9.0, np.nan, 0.0, "")], columns=list(rows().columns))
    found = ceilings(pd.concat([rows(), loud], ignore_index=True), CALIBRATION, 0.10)
    assert found["best_line"]["alarms"] == [1, 10]


def test_a_group_without_bars_has_no_ceilings():
    assert stated_ceilings(rows(), rows(), CALIBRATION, "shifted-scanner") == {}
    found = stated_ceilings(rows(), rows(), CALIBRATION, "hard")
    assert set(found) == {"ceilings", "other_lines"}


def test_lower_lines_suspect_more():
    low, high = at_other_lines(rows(), rows(), CALIBRATION).values()
    assert low["line"] <= high["line"]
    assert low["suspected"][0] >= high["suspected"][0]
    assert low["alarms"][0] >= high["alarms"][0]


@pytest.mark.parametrize(("share", "reached"), [(0.0, 0), (0.1, 1), (0.3, 3)])
def test_no_more_than_the_share_reaches_the_line(share, reached):
    tops = np.arange(10.0)
    assert int((tops >= line_allowing(tops, share)).sum()) == reached
    assert line_allowing(np.array([]), share) == 0.0
