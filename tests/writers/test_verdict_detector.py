"""The part on the detector says first whether it helps."""

import pytest
from writers.verdict_detector import DECIDING, MIDDLE, headline, part, written

NONE = {"difference": 0.01, "low": -0.1, "high": 0.1}
PAIR = [1, 4]
NAMES = (*DECIDING, MIDDLE, "mild_unsuspicious")


def content(sets):
    weighing = {
        "base": 0.5,
        "weights": {"prototypes": 0.8, "detector": 0.25, "heights": 0.7},
        "suspected": 2.0,
        "borderline": -1.0,
    }
    figures = dict.fromkeys(NAMES, PAIR) | {"spines": 9}
    ways = ("together", "without", "shipped", "heights", "detector", "detector+heights")
    line = {"line": 2.0, "again": 2.1, "low": 1.0, "high": 3.0, "normal_spines": 12}
    differences = {"both": dict.fromkeys((*NAMES, "area"), NONE)}
    return {
        "models": {"prototypes": {"name": "a", "version": "4"}},
        "planned": {"hard": [3, 4]},
        "run": {"hard": [2, 1]},
        "fitted_on": {"grades": {"0": 7}, "vertebrae": 7, "spines": 3, "normal_spines": 2},
        "least_normal": 20,
        "calibration": {"sets": {"prototypes+detector+heights": weighing} if sets else {}},
        "compared_sets": {"prototypes+detector+heights": weighing, "heights": weighing},
        "tested": {"both": dict.fromkeys(ways, figures)},
        "differences": dict.fromkeys(("without", "shipped", "heights"), differences),
        "lines": {"shipped": {**line, "alarms": [PAIR, [1, 5], [0, 5]]}},
    }


def test_every_table_has_cells_for_its_columns():
    lines = part(content(sets=True))
    assert lines[0].startswith("**It is not shown that the detector helps")
    text = "\n".join(lines)
    assert "`hard` 3 of 7" in text
    assert "do not ship" not in text
    assert "| prototypes, detector, heights | +0.50 | 0.80 | 0.25 | 0.70 | +2.00 | -1.00 |" in text
    assert "| sheets, heights as shipped | +2.00 | +2.10 | +1.00 to +3.00 | 12 |" in text
    for block in text.split("\n\n"):
        rows = [line.count("|") for line in block.splitlines() if line.startswith("|")]
        assert len(set(rows)) <= 1, block


def test_weights_of_too_few_spines_are_said_not_to_ship():
    text = "\n".join(part(content(sets=False)))
    assert "do not ship**: with fewer than 20 normal spines" in text


@pytest.mark.parametrize(
    ("name", "low", "high", "said"),
    [
        ("false_alarm_spines", -0.3, -0.1, "It helps"),
        ("false_alarm_spines", 0.1, 0.3, "It harms"),
        ("g2_suspected", 0.1, 0.3, "It helps"),
        ("g2_suspected", -0.3, -0.1, "It harms"),
        ("g2_suspected", -0.3, 0.1, "not shown that the detector helps"),
        ("g2_suspected", None, None, "not shown that the detector helps"),
    ],
)
def test_fewer_false_alarms_help_and_fewer_fractures_found_harm(name, low, high, said):
    figures = dict.fromkeys((*DECIDING, MIDDLE, "area"), NONE)
    figures[name] = {"difference": low, "low": low, "high": high}
    assert said in headline(figures)


def test_what_is_not_measured_is_said(tmp_path):
    page = "a <!-- detector: begin -->\nold\n<!-- detector: end --> b"
    assert "Not measured" in written(page, tmp_path)
