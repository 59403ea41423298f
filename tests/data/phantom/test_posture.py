import numpy as np
import pytest

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.spine import level_index, stack


def lean_of(subject, level):
    axes = stack(subject.bodies, subject.posture, True)[level_index(level)].axes
    return float(np.degrees(np.arctan2(axes[2, 1], axes[2, 2])))


def drawn(preset, seed):
    return draw_subject(np.random.default_rng(seed), load_preset(preset), {})


def test_kyphosis_is_bounded():
    assert max(lean_of(drawn("balanced", seed), "T1") for seed in range(30)) < 75


def test_the_spine_leans_at_l3_as_drawn_and_curves_both_ways():
    for seed in range(5):
        subject = drawn("demo", seed)
        assert abs(lean_of(subject, "L3")) < 6  # the demo leans by at most 2 degrees
        assert lean_of(subject, "T2") > lean_of(subject, "T10") + 10  # kyphosis
        assert lean_of(subject, "L5") > lean_of(subject, "L1") + 10  # lordosis


def test_discs_are_never_negative_and_some_are_narrow():
    discs = np.array([drawn("hard", seed).posture.disc for seed in range(20)])
    assert discs.min() > 0
    narrow = (discs < 0.6 * np.median(discs, axis=0)).mean()
    assert narrow == pytest.approx(0.25, abs=0.15)
