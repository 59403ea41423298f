"""The stored calibration."""

import json

from spinexplain.findings.weighing import (
    VerdictCalibration,
    Weighing,
    as_content,
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
