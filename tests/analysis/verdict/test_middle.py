"""Which rule makes middle states, and how few there could be, on a table by hand."""

import pandas as pd

from spinexplain.analysis.verdict.figures import judged_fully
from spinexplain.analysis.verdict.middle import (
    least_middle,
    middle_by_look_alike,
    middle_reasons,
    stated_middle,
)
from spinexplain.findings.weighing import VerdictCalibration, Weighing

CALIBRATION = VerdictCalibration(
    {"prototypes": "a"},
    {
        "prototypes": Weighing(0.0, {"prototypes": 1.0}, 3.0, -1.0, True),
        "heights": Weighing(0.0, {"heights": 1.0}, 3.0, -1.0, True),
        "prototypes+heights": Weighing(0.0, {"prototypes": 1.0, "heights": 1.0}, 3.0, -1.0, True),
    },
)
ROWS = [
    ("a", 0, 1.0, -4.0, 0.02, "lesion"),  # the network is in two minds
    ("a", 0, -3.0, -0.4, 0.21, "short_vertebral_height,lesion"),  # a mild loss
    ("a", 0, -1.0, 0.4, 0.10, ""),  # near the line
    ("a", 0, -5.0, -4.0, 0.02, ""),  # none
    ("b", 2, -1.0, 1.0, 0.26, ""),  # near the line
    ("b", 2, 5.0, 4.0, 0.35, ""),  # suspected
]


def table():
    columns = ["subject", "grade", "prototypes", "heights", "measured_loss", "look_alikes"]
    made = pd.DataFrame(ROWS, columns=columns)
    return made.assign(
        normal=made["subject"] == "a", prototypes_spread=0.0, deformity="", refusal=""
    )


def test_rules_and_look_alikes_are_counted():
    verdicts = judged_fully(table(), CALIBRATION)
    assert middle_reasons(table(), verdicts) == {
        "network_undecided": {"all": 1, "lesion": 1},
        "mild_loss": {"all": 1, "short_vertebral_height": 1, "lesion": 1},
        "near_the_line": {"all": 1, "none": 1},
    }
    assert middle_by_look_alike(table(), verdicts) == {
        "lesion": [2, 2],
        "none": [1, 2],
        "short_vertebral_height": [1, 1],
    }


def test_the_highest_line_that_notices_enough_is_taken():
    kept = least_middle(table(), CALIBRATION, 0.9, undecided=True)
    kept["line"] = round(kept["line"], 9)
    # a loss of 26 % is borderline whatever the line, so the highest one will do
    assert kept == {"middle_of_normal": [2, 4], "g2_noticed": [2, 2], "line": 2.0}
    without = least_middle(table(), CALIBRATION, 0.9, undecided=False)
    assert without["middle_of_normal"] == [1, 4]


def test_only_presets_with_bars_have_a_bound():
    assert "least_middle" in stated_middle(table(), CALIBRATION, "hard")
    assert "least_middle" not in stated_middle(table(), CALIBRATION, "shifted-scanner")
