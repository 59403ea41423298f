"""The score of severity and its ranges on tables whose answer is known."""

from math import inf

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.severity import (
    IMAGE,
    calibrated,
    fit_scales,
    grade_range,
    ordinal_weights,
    usual_image,
)
from spinexplain.spine.image_terms import TERMS


def table(seed, n=1200):
    rng = np.random.default_rng(seed)
    grade = rng.choice([0, 0, 0, 1, 2, 3], n)
    latent = 2.0 * grade + rng.logistic(0, 1, n)
    other = rng.normal(0, 1, n)
    return pd.DataFrame(
        {"grade": grade, "prototypes": latent - other, "heights": other, "group": "a"}
    )


def test_the_weights_are_those_that_made_the_table():
    rows = table(0, 6000)
    cuts = np.searchsorted([-1.0, 1.0, 3.0], rows["prototypes"] + rows["heights"])
    noisy = rows[["prototypes", "heights"]].to_numpy()
    rng = np.random.default_rng(1)
    made = np.searchsorted([-1.0, 1.0, 3.0], noisy @ [1.0, 2.0] + rng.logistic(0, 1, len(rows)))
    weights = ordinal_weights(noisy, made)
    np.testing.assert_allclose(weights, [1.0, 2.0], rtol=0.15)
    assert ordinal_weights(-noisy[:, :1], cuts).tolist() == [0.0]


def test_ranges_hold_new_vertebrae_as_often_as_stated():
    fit, calibrating, new = table(2), table(3, 4000), table(4, 4000)
    scale = calibrated(fit_scales(fit), calibrating)["prototypes+heights"]
    for grade, name in enumerate(("G0", "G1", "G2", "G3")):
        rows = new[new["grade"] == grade].to_dict("records")
        held = np.mean([name in scale.grades(scale.score(row)) for row in rows])
        assert held == pytest.approx(0.9, abs=0.035)


def test_ends_by_hand():
    scores = np.arange(1.0, 20.0)  # n = 19, so that each step is 5 %
    assert grade_range(scores, 0, 0.9) == (-inf, 18.0)
    assert grade_range(scores, 3, 0.9) == (2.0, inf)
    assert grade_range(scores, 1, 0.9) == (1.0, 19.0)
    assert grade_range(scores[:3], 1, 0.9) == (-inf, inf)


def test_ranges_stand_in_order():
    scale = calibrated(fit_scales(table(5)), table(6))["heights"]
    lows, highs = zip(*scale.ranges.values(), strict=True)
    assert list(lows) == sorted(lows)
    assert list(highs) == sorted(highs)


def test_the_usual_image_has_a_margin():
    rows = pd.DataFrame({IMAGE + name: np.arange(0.0, 101.0) for name in TERMS})
    low, high = usual_image(rows)["noise_hu"]
    assert (low, high) == pytest.approx((0.5 - 24.75, 99.5 + 24.75))
