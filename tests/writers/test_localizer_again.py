from writers import localizer_again

ROW = {"scans": 48, "found": 0.99, "close": 0.98, "named": 0.94, "shifted": 0.95, "right": 0.875}
WAYS = {"before": ROW, "localizer": ROW | {"named": 0.9}}
SET = {
    "preset": "wide-test",
    "seed": 12,
    "phantoms": {"crops": WAYS, "all": WAYS},
    "intervals": {"all": {"more": [-0.04, -0.09, -0.01]}},
}
WORTH = {"right": 54, "true_names": -0.47}
VALIDATION = {
    "before": {"scans": 68, "before": WORTH, "tried": WORTH, "chosen": {"tried": False}},
    "localizer": {
        "scans": 68,
        "before": WORTH,
        "tried": {"right": 57, "true_names": -0.396},
        "chosen": {"tried": True},
    },
}


def test_validation_is_said_with_the_weights_that_are_taken():
    first, second = localizer_again.validation(VALIDATION)
    assert first.endswith("54 of 68 scans named rightly, mean log-probability of the true namings "
                          "-0.47, with the weights of before.")  # fmt: skip
    assert "57 of 68" in second
    assert second.endswith("-0.40, with the tried weights.")


def test_both_networks_stand_in_the_same_scans():
    lines = localizer_again.section({"validation": VALIDATION, "sets": [SET]})
    shown = [line for line in lines if "random parts (48)" in line]
    assert [line.split(" | ")[2] for line in shown] == ["version 3", "trained on once more"]
    assert "| 99.0 % | 98.0 % | 90.0 % | 95.0 % | 87.5 % |" in shown[1]
    assert lines[-1].startswith("* `wide-test`: trained on once more it names -4.0 points")


def test_crushed_bodies_stand_beside_others():
    grades = {grade: {"bodies": 10, "found": 9} for grade in "0123"}
    both = {"preset": "wide", "seed": 1, "without": grades, "with": grades}
    lines = localizer_again.crushed([both, {"preset": "wide", "seed": 2, "without": grades}])
    assert lines[2] == "| `wide`, seed 1, without the step | 27 of 30 | 9 of 10 |"
    assert len(lines) == 5
