"""Counts of verdicts on a table that fits on paper."""

import pandas as pd

from spinexplain.analysis.verdict.figures import judged, same_by_every_route, verdict_figures
from spinexplain.findings.weighing import VerdictCalibration, Weighing

CALIBRATION = VerdictCalibration(
    {"prototypes": "a"},
    {
        "prototypes": Weighing(0.0, {"prototypes": 1.0}, 1.0, 0.0, True),
        "heights": Weighing(0.0, {"heights": 1.0}, 1.0, 0.0, True),
        "prototypes+heights": Weighing(0.0, {"prototypes": 1.0, "heights": 1.0}, 1.0, 0.0, True),
    },
)
COLUMNS = ("subject", "normal", "level", "route", "grade", "prototypes", "heights", "loss")
ROWS = [
    ("a", True, "L1", "labels", 0, -5.0, -3.0, 0.05),  # no suspicion
    ("a", True, "L2", "labels", 0, -1.0, -0.4, 0.21),  # mild
    ("b", True, "L1", "labels", 0, 3.0, -1.0, 0.15),  # a false alarm
    ("c", False, "L1", "labels", 2, 0.5, 0.1, 0.23),  # borderline
    ("c", False, "L2", "labels", 3, 5.0, 4.0, 0.5),  # suspected
    ("c", False, "L1", "centroids", 2, 2.0, None, None),  # suspected
]


def table():
    made = pd.DataFrame(ROWS, columns=COLUMNS).rename(columns={"loss": "measured_loss"})
    return made.assign(prototypes_spread=0.0, deformity="", refusal="")


def test_by_hand():
    rows = table()
    states = judged(rows, CALIBRATION)
    assert states.tolist() == [
        "no suspicion",
        "mild height loss",
        "fracture suspected",
        "borderline",
        "fracture suspected",
        "fracture suspected",
    ]
    by_mask = rows["route"] == "labels"
    figures = verdict_figures(rows[by_mask], states[by_mask])
    assert figures["false_alarm_spines"] == [1, 2]
    assert figures["middle_of_normal"] == [1, 3]
    assert (figures["g2_suspected"], figures["g2_noticed"]) == ([0, 1], [1, 1])
    assert figures["g3_suspected"] == [1, 1]


def test_a_refusal_is_not_assessable():
    rows = table().assign(refusal="cut")
    assert set(judged(rows, CALIBRATION)) == {"not assessable"}


def test_routes_are_compared_where_all_are_there():
    rows = table()
    rows = pd.concat(
        [rows[rows["level"] == "L1"], rows[rows["level"] == "L1"].assign(route="both")]
    )
    rows = rows.drop_duplicates(["subject", "route"])
    same = same_by_every_route(rows, judged(rows, CALIBRATION))
    assert same == [0, 1]
