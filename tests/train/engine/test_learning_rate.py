import numpy as np
import pytest

from spinexplain.config.training import PhaseSettings
from spinexplain.train.engine.learning_rate import learning_rate_factor


def test_cosine_warms_up_and_ends_near_zero():
    settings = PhaseSettings(steps=100, decay="cosine")
    factors = [learning_rate_factor(settings, step) for step in range(100)]
    assert factors[0] == pytest.approx(0.2)
    assert max(factors) > 0.95
    assert factors[-1] < 1e-3
    assert np.all(np.diff(factors[10:]) < 0)


def test_step_decay_divides_by_ten_after_each_third():
    settings = PhaseSettings(steps=90, decay="step")
    assert [learning_rate_factor(settings, s) for s in (29, 30, 59, 60)] == [1, 0.1, 0.1, 0.01]


def test_constant_rate_stays():
    settings = PhaseSettings(steps=90, decay="none")
    assert {learning_rate_factor(settings, s) for s in (0, 50, 89)} == {1.0}


def test_decay_by_steps_counts_earlier_rounds_and_may_come_early():
    settings = PhaseSettings(steps=20, decay="step", decay_every_steps=15)
    assert [learning_rate_factor(settings, s) for s in (0, 14, 15)] == pytest.approx([1, 1, 0.1])
    assert learning_rate_factor(settings, 9, steps_before=20) == pytest.approx(0.1)
    assert learning_rate_factor(settings, 10, steps_before=20) == pytest.approx(0.01)
    early = settings.model_copy(update={"decay_early_steps": 3})
    assert [learning_rate_factor(early, s) for s in (11, 12)] == pytest.approx([1, 0.1])
