"""The stored calibration."""

import json
from dataclasses import replace

import pytest

from spinexplain.errors import ConfigError
from spinexplain.findings.grade_set import SeverityScale
from spinexplain.findings.weighing import (
    VerdictCalibration,
    Weighing,
    as_content,
    joined,
    read_calibration,
    stored_calibration,
)


def test_there_and_back():
    one = VerdictCalibration(
        {"prototypes": "a"}, {"prototypes": Weighing(0.1, {"prototypes": 1.0}, 2.0, 1.0, True)}
    )
    assert read_calibration(json.loads(json.dumps(as_content(one)))) == one


def test_a_known_model_is_needed_to_be_calibrated():
    one = VerdictCalibration(
        {"prototypes": "a"}, {"prototypes": Weighing(0.1, {"prototypes": 1.0}, 2.0, 1.0, True)}
    )
    assert one.weighing(["prototypes"], {"prototypes": "a"}).calibrated
    assert not one.weighing(["prototypes"], {"prototypes": "b"}).calibrated


def test_the_stored_one_never_turns_a_witness_round():
    stored = stored_calibration()
    assert "prototypes+heights" in stored.sets
    for weighing in stored.sets.values():
        assert weighing.borderline <= weighing.suspected
        assert all(weight >= 0 for weight in weighing.weights.values())


def test_a_detector_without_weight_speaks_only_alone():
    one = VerdictCalibration(
        {"prototypes": "a"}, {"prototypes": Weighing(0.1, {"prototypes": 1.5}, 2.0, 1.0, True)}
    )
    alone = one.weighing(["detector"], {"detector": "b"})
    assert (alone.weights["detector"], alone.calibrated) == (1.5, False)
    beside = one.weighing(["prototypes", "detector"], {"prototypes": "a", "detector": "b"})
    assert (beside.weights["detector"], beside.weights["prototypes"]) == (0.0, 1.5)


SHEETS = VerdictCalibration(
    {"prototypes": "a"},
    {"prototypes": Weighing(0.1, {"prototypes": 1.5}, 2.0, 1.0, True)},
    {"spines": 90},
)
BOXES = VerdictCalibration(
    {"prototypes": "a", "detector": "b"},
    {
        "prototypes": Weighing(9.0, {"prototypes": 9.0}, 9.0, 9.0, True),
        "detector": Weighing(0.2, {"detector": 0.5}, 2.0, 1.0, True),
        "prototypes+detector": Weighing(0.3, {"prototypes": 1.0, "detector": 0.4}, 2.0, 1.0, True),
    },
)


def test_sets_with_a_detector_join_and_leave_the_others_as_they_are():
    both = joined(SHEETS, BOXES, {"spines": 40})
    assert both.sets["prototypes"] == SHEETS.sets["prototypes"]
    beside = both.weighing(["prototypes", "detector"], {"prototypes": "a", "detector": "b"})
    assert (beside.weights["detector"], beside.calibrated) == (0.4, True)
    assert both.operating_point == {"spines": 90, "detector_fitted_on": {"spines": 40}}
    assert joined(SHEETS, replace(BOXES, sets={}), {"spines": 4}) == SHEETS


def test_a_detector_fitted_beside_another_network_is_refused():
    other = VerdictCalibration({"prototypes": "z", "detector": "b"}, BOXES.sets)
    with pytest.raises(ConfigError, match="verdict-detector --fresh"):
        joined(SHEETS, other, {})


def test_an_unknown_detector_counts_nothing_beside_a_network_on_sheets():
    both = joined(SHEETS, BOXES, {})
    beside = both.weighing(["prototypes", "detector"], {"prototypes": "a", "detector": "?"})
    assert beside.weights == {"prototypes": 1.5, "detector": 0.0}
    assert not beside.calibrated
    alone = both.weighing(["detector"], {"detector": "?"})
    assert (alone.weights["detector"], alone.calibrated) == (0.5, False)


def test_sets_of_grades_pass_a_detector_over():
    scale = SeverityScale({"prototypes": 1.0}, {"G0": (-9.0, 9.0)})
    both = replace(SHEETS, scales={"prototypes": scale})
    models = {"prototypes": "a", "detector": "b"}
    assert both.scale(["prototypes", "detector"], models) == scale
    assert both.scale(["prototypes", "detector"], {**models, "prototypes": "?"}) is None
    assert both.scale(["detector"], {"detector": "b"}) is None
