import numpy as np
import pytest

from spinexplain.errors import ShapeError
from spinexplain.evaluate.explanations.skill import placement_skill, skill

SUBJECTS = np.arange(40).astype(str)


def test_by_hand():
    values = np.r_[np.ones(20), np.zeros(20)]
    priors = {"weak": np.full(40, 0.1), "strong": np.full(40, 0.3)}
    found = skill(values, priors, SUBJECTS, seed=0, draws=200)
    assert found.value.value == 0.5
    assert (found.prior, found.prior_value) == ("strong", pytest.approx(0.3))
    assert found.gain.value == pytest.approx(0.2)
    assert found.gain.low < 0.2 < found.gain.high


def test_the_opponent_is_at_its_best_in_every_draw():
    """Two priors that are each good on half of the subjects: their best never falls below."""
    half = np.r_[np.ones(20), np.zeros(20)]
    found = skill(np.full(40, 0.5), {"a": half, "b": 1 - half}, SUBJECTS, seed=0, draws=300)
    assert found.gain.value == 0
    assert found.gain.high <= 0


def test_a_vertebra_without_a_figure_counts_for_nobody():
    values = np.full(40, 0.5)
    values[:20] = np.nan
    prior = np.r_[np.ones(20), np.zeros(20)]
    assert skill(values, {"a": prior}, SUBJECTS, 0, 50).gain.value == 0.5


def test_an_image_blind_map_has_no_placement_skill():
    rng = np.random.default_rng(0)
    choices = np.eye(2)[rng.integers(0, 2, 40)]
    found = placement_skill(choices, choices, rng.integers(0, 2, 40), SUBJECTS, 0, 100)
    assert (found.gain.value, found.gain.low, found.gain.high) == (0, 0, 0)


def test_placement_skill_of_a_seeing_map():
    truth = np.arange(40) % 2
    found = placement_skill(np.eye(2)[truth], np.full((40, 2), 0.5), truth, SUBJECTS, 0, 100)
    assert (found.value.value, found.prior_value, found.gain.low) == (1.0, 0.5, 0.5)


def test_nothing_to_compare_is_refused():
    with pytest.raises(ShapeError, match="0 priors"):
        skill(np.ones(40), {}, SUBJECTS, 0)
    with pytest.raises(ShapeError, match="0 figures"):
        skill(np.full(40, np.nan), {"a": np.ones(40)}, SUBJECTS, 0)
