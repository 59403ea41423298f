import numpy as np
import pytest

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.fracture import grade_of
from spinexplain.data.phantom.presets import load_preset


def drawn(preset, seed, grades, **more):
    return draw_subject(np.random.default_rng(seed), load_preset(preset), grades, **more)


def test_the_same_seed_draws_the_same_person():
    one, two = drawn("balanced", 4, {"L1": 3}), drawn("balanced", 4, {"L1": 3})
    assert one.truth == two.truth
    assert np.array_equal(one.posture.flex, two.posture.flex)


@pytest.mark.parametrize("preset", ["balanced", "hard", "verse-like"])
def test_planted_grades_come_out(preset):
    wanted = {"T3": 2, "T8": 1, "L1": 3, "L5": 2}
    for seed in range(6):
        truth = {fact.level: fact for fact in drawn(preset, seed, wanted).truth}
        for level, fact in truth.items():
            assert fact.grade == wanted.get(level, 0)
            assert (fact.shape == "none") == (fact.grade == 0)
            if fact.grade:
                assert fact.grade == grade_of(fact.loss)


def test_truth_covers_t1_to_l5():
    truth = drawn("balanced", 1, {}).truth
    assert [truth[0].level, truth[-1].level, len(truth)] == ["T1", "L5", 17]
    assert all(fact.own_loss == pytest.approx(0.0, abs=1e-9) for fact in truth)


def test_the_target_of_a_sheet_is_free_of_metal():
    for seed in range(60):
        subject = drawn("hospital-like", seed, {}, target="L1")
        levels = {implant.level for implant in subject.implants}
        assert "L1" not in levels
        assert {fact.level for fact in subject.truth if fact.foreign_material} == levels
