import numpy as np
import pytest

from spinexplain.localizer.naming import STATES
from spinexplain.train.localizer.norms import fitted_gaps

NAMES = [f"T{k}" for k in range(1, 13)] + [f"L{k}" for k in range(1, 6)] + ["S1", "S2"]


def person(size, first=0, noise=0.0, rng=None):
    names = NAMES[first:]
    gaps = np.array([20.0 + k for k in range(first, len(NAMES) - 1)]) * size
    if rng is not None:
        gaps = gaps * np.exp(rng.normal(0, noise, len(gaps)))
    z = np.r_[0.0, -np.cumsum(gaps)]
    return {name: np.array([0.0, 0.0, at]) for name, at in zip(names, z, strict=True)}


def test_gaps_and_sizes_are_separated_by_hand():
    prior = fitted_gaps([person(0.9), person(1.0), person(1 / 0.9)])
    assert prior.gap_mm[STATES.index("T1")] == pytest.approx(20.0, rel=1e-3)
    assert prior.gap_mm[STATES.index("L5")] == pytest.approx(36.0, rel=1e-3)
    assert prior.gap_spread == pytest.approx(0.0, abs=1e-3)
    assert prior.size_spread == pytest.approx(np.std(np.log([0.9, 1.0, 1 / 0.9])), abs=1e-3)


def test_spread_within_a_person_is_that_of_the_noise():
    rng = np.random.default_rng(0)
    prior = fitted_gaps([person(1.0, noise=0.1, rng=rng) for _ in range(200)])
    assert prior.gap_spread == pytest.approx(0.1, rel=0.1)


def test_levels_that_nobody_has_lie_between_their_neighbors():
    prior = fitted_gaps([person(1.0)])
    t13 = prior.gap_mm[STATES.index("T13")]
    assert prior.gap_mm[STATES.index("T12")] < t13 < prior.gap_mm[STATES.index("L1")]
