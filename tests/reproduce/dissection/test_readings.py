import numpy as np
import pytest

from spinexplain.reproduce.dissection.readings import halves


def test_units_that_differ_by_chance_do_not_repeat_on_the_other_half():
    rng = np.random.default_rng(0)
    subjects = np.arange(60)
    positive = subjects % 2 == 0
    enabled = rng.random((60, 40)) < 0.5
    ranked = np.ones(40, bool)
    chance = halves(enabled, ranked, positive, subjects)
    assert chance["own"] > 0.15 > abs(chance["other"]) + 0.05
    enabled[:, :10] = positive[:, None]
    real = halves(enabled, ranked, positive, subjects)
    assert real["same"] == pytest.approx(10)
    assert real["own"] == real["other"] == pytest.approx(1)
