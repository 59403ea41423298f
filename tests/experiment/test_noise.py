import numpy as np
import pytest

from spinexplain.evaluate.figures import HEADLINE
from spinexplain.experiment.noise import judged_difference, noise_markdown, noise_of

FIGURE = "class_average_f1"


def training(name, folds):
    return {
        "name": name,
        "folds": {key: list(folds) for key in HEADLINE},
        "mean": {key: float(np.mean(folds)) for key in HEADLINE},
    }


def pair(value, low, high):
    return {"differences": {FIGURE: {"value": value, "low": low, "high": high}}}


def judged(value, low, high, floor=0.01, error=0.03):
    noise = {"floor": {FIGURE: floor}, "training_error": {FIGURE: error}}
    return judged_difference(pair(value, low, high), noise)[FIGURE]


def test_the_floor_is_the_largest_difference_of_identical_trainings():
    noise = noise_of(
        [training("a", [0.8, 0.9]), training("b", [0.7, 0.9]), training("c", [0.8, 0.8])]
    )
    assert noise["floor"][FIGURE] == pytest.approx(0.05)
    assert noise["degrees_of_freedom"] == 4


def test_training_error_by_hand():
    """Two trainings, two folds, differences 0.02 and 0.04: variances 0.0002 and 0.0008."""
    noise = noise_of([training("a", [0.80, 0.90]), training("b", [0.82, 0.86])])
    # 2 degrees of freedom: Student's 4.303; variance of a difference 2 x 0.0005 / 2.
    assert noise["training_error"][FIGURE] == pytest.approx(4.3027 * np.sqrt(0.0005), rel=1e-4)


def test_the_half_width_holds_95_of_100_differences_of_identical_trainings():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(400):
        made = [training(str(k), 0.8 + 0.02 * rng.standard_normal(5)) for k in range(5)]
        error = noise_of(made[:3])["training_error"][FIGURE]
        inside.append(abs(made[3]["mean"][FIGURE] - made[4]["mean"][FIGURE]) <= error)
    assert 0.92 < np.mean(inside) < 0.98


def test_a_difference_below_the_floor_is_none():
    assert judged(0.008, 0.005, 0.011)["verdict"] == "none"
    assert judged(-0.01, -0.02, 0.0)["verdict"] == "none"


def test_intervals_hold_both_chances():
    found = judged(0.06, 0.02, 0.09)
    assert found["low"] == pytest.approx(0.06 - 0.05)
    assert found["high"] == pytest.approx(0.06 + np.hypot(0.03, 0.03))
    assert found["verdict"] == "better"
    assert judged(0.04, 0.02, 0.06)["verdict"] == "better"
    assert judged(0.03, 0.01, 0.05)["verdict"] == "not sure"
    assert judged(-0.06, -0.09, -0.02)["verdict"] == "worse"


def test_without_a_second_training_nothing_is_judged():
    noise = noise_of([training("a", [0.8, 0.9])])
    assert noise["floor"][FIGURE] is None
    found = judged_difference(pair(0.5, 0.4, 0.6), noise)[FIGURE]
    assert found == {"low": 0.4, "high": 0.6, "verdict": "not judged"}
    assert "No noise floor" in noise_markdown({"noise": noise, "comparisons": []})


def test_too_few_subjects_for_an_interval_are_not_judged():
    assert judged(0.5, None, None)["verdict"] == "not judged"


def test_the_table_shows_the_design_and_not_the_repeats():
    noise = noise_of([training("p", [0.80, 0.90]), training("p-again-seed=1", [0.82, 0.86])])
    pairs = [
        {"first": name, "second": "p", **pair(0.2, 0.1, 0.3)} for name in ("q", "p-again-seed=1")
    ]
    for one in pairs:
        one["with_training"] = judged_difference(one, noise)
    text = noise_markdown({"noise": noise, "comparisons": pairs})
    assert "2 identical trainings" in text
    assert "up to 1.0 points" in text
    assert "| q − p | +20.0 (" in text
    assert "again" not in text
