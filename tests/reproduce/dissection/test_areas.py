import numpy as np
import pytest

from spinexplain.reproduce.dissection.areas import area, compared_areas
from spinexplain.reproduce.dissection.training_size import weighted_auc


def test_an_area_equals_the_count_over_all_pairs():
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(5, size=40).astype(float), rng.random(40) < 0.4
    times = rng.integers(4, size=40).astype(float)
    assert area(scores, positive, times) == pytest.approx(weighted_auc(scores, positive, times))


def compared(odds):
    rng = np.random.default_rng(1)
    positive = rng.random(120) < 0.4
    subjects = np.repeat([f"p{k}" for k in range(12)], 10)
    made = {name: [make(positive, rng) for make in makes] for name, makes in odds.items()}
    return compared_areas(made, positive, subjects)


def knowing(positive, rng):
    return positive + 0.1 * rng.random(len(positive))


def guessing(positive, rng):
    return rng.random(len(positive))


def test_a_difference_has_an_interval_and_the_noise_of_trainings_beside_it():
    found = compared({"good": [knowing, knowing], "bad": [guessing, guessing]})
    pair = found["differences"]["good - bad"]
    bad = found["means"]["bad"]["by_training"]
    assert found["means"]["good"]["by_training"] == [1.0, 1.0]
    assert pair["mean"] == pytest.approx(1 - np.mean(bad))
    assert 0 < pair["low"] <= pair["mean"] <= pair["high"]
    assert pair["floor"] == pytest.approx(abs(bad[0] - bad[1]))


def test_trainings_that_differ_widen_the_interval():
    alike = compared({"one": [knowing, knowing], "other": [knowing, knowing]})
    unlike = compared({"one": [knowing, guessing], "other": [knowing, knowing]})
    width = [
        found["differences"]["one - other"]["high"] - found["differences"]["one - other"]["low"]
        for found in (alike, unlike)
    ]
    assert width[0] == 0
    assert width[1] > 0.3
