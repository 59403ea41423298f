from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.height_loss import (
    FRACTURED_LOSS,
    compare_heights,
    deformity_shape,
    height_loss_class,
)
from spinexplain.spine.norms import norm_heights_mm

LEVELS = [level for level in VertebraLevel if norm_heights_mm(level) is not None]
COLUMN = [VertebraLevel(name) for name in ("T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3")]


def _normal(levels=COLUMN, size=1.1) -> dict[VertebraLevel, np.ndarray]:
    return {level: size * norm_heights_mm(level) for level in levels}


def _damaged(losses: dict[str, tuple[float, float, float]], levels=COLUMN):
    heights = _normal(levels)
    for name, loss in losses.items():
        heights[VertebraLevel(name)] = heights[VertebraLevel(name)] * (1 - np.array(loss))
    return compare_heights(heights)


@pytest.mark.parametrize("names", [("T7", "T8", "T9"), ("T10", "T11", "T12"), ("L2", "L3", "L4")])
def test_twenty_fourteen_twenty_between_normal_neighbors(names):
    upper, level, lower = (VertebraLevel(name) for name in names)
    found = compare_heights(
        {
            upper: np.array([20.0, 20.0, 20.0]),
            level: np.array([20.0, 14.0, 20.0]),
            lower: np.array([20.0, 20.0, 20.0]),
        }
    )[level]
    assert found.loss == pytest.approx(0.30, abs=0.02)  # norms are not quite linear
    assert (found.height_loss_class, found.shape) == (2, "biconcave")
    assert found.references == (upper, lower)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(-0.1, 0), (0.199, 0), (0.20, 1), (0.249, 1), (0.25, 2), (0.40, 2), (0.401, 3), (0.9, 3)],
)
def test_the_bands(loss, expected):
    assert height_loss_class(loss) == expected


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((0.19, 0.19, 0.19), "none"),
        ((0.30, 0.20, 0.10), "wedge"),
        ((0.20, 0.30, 0.10), "biconcave"),
        ((0.30, 0.30, 0.20), "crush"),
        ((0.05, 0.05, 0.25), "crush"),
    ],
)
def test_the_shapes(losses, shape):
    assert deformity_shape(np.array(losses)) == shape


@given(
    loss=st.tuples(*[st.floats(0, 0.6)] * 3),
    level=st.sampled_from(COLUMN),
    size=st.floats(0.8, 1.4),
)
@settings(max_examples=60, deadline=None)
def test_any_loss_among_normal_levels_is_found_exactly(loss, level, size):
    heights = _normal(size=size)
    heights[level] = heights[level] * (1 - np.array(loss))
    found = compare_heights(heights)
    np.testing.assert_allclose(found[level].losses, loss, atol=1e-9)
    others = [found[lv].loss for lv in COLUMN if lv != level]
    assert max(others) < 1e-9  # the damaged level makes no other look low


def test_a_crush_needs_neighbors():
    crushed = _damaged({"L1": (0.3, 0.3, 0.3)})[VertebraLevel.L1]
    assert (crushed.shape, crushed.height_loss_class) == ("crush", 2)
    assert crushed.own_posterior_loss == pytest.approx(0.0, abs=1e-9)
    alone = compare_heights({VertebraLevel.L1: 0.7 * norm_heights_mm(VertebraLevel.L1)})
    assert alone[VertebraLevel.L1].shape == "none"
    assert alone[VertebraLevel.L1].references == ()


def test_adjacent_fractures_do_not_become_each_others_norm():
    loss = (0.35, 0.3, 0.25)
    found = _damaged({"T10": loss, "T11": loss, "T12": loss, "L1": loss})
    for name in ("T10", "T11", "T12", "L1"):
        assert found[VertebraLevel(name)].loss == pytest.approx(0.35, abs=1e-9)
        assert found[VertebraLevel(name)].references == (VertebraLevel.T9, VertebraLevel.L2)
    assert all(found[VertebraLevel(name)].loss < 0.01 for name in ("T7", "T8", "T9", "L2", "L3"))


def test_a_slow_descent_is_not_its_own_norm():
    steps = {"T9": 0.1, "T10": 0.2, "T11": 0.3, "T12": 0.3, "L1": 0.2, "L2": 0.1}
    found = _damaged({name: (loss,) * 3 for name, loss in steps.items()})
    assert found[VertebraLevel.T11].references == (VertebraLevel.T9, VertebraLevel.L2)
    assert found[VertebraLevel.T11].loss == pytest.approx(1 - 0.7 / 0.9)
    assert found[VertebraLevel.T12].shape == "crush"


def test_a_persons_own_shape_is_no_fracture():
    heights = {level: h * (0.85, 1.0, 1.1) for level, h in _normal().items()}
    assert max(loss.loss for loss in compare_heights(heights).values()) < 0.01


def test_the_own_posterior_height_alone_finds_a_wedge():
    found = _damaged({"T8": (0.4, 0.2, 0.0)})[VertebraLevel.T8]
    assert found.own_posterior_loss == pytest.approx(0.4)
    assert found.shape == "wedge"


def test_natural_wedges_are_no_losses():
    for level in LEVELS:
        found = compare_heights(_normal(LEVELS))[level]
        assert found.loss == pytest.approx(0, abs=1e-9)
        assert found.own_posterior_loss == pytest.approx(0, abs=1e-9)


def test_the_interval_grows_with_every_uncertainty():
    heights = _normal()
    level = VertebraLevel.T9
    exact = compare_heights(heights)[level].interval
    natural = 1.96 * 0.05  # of a level among unfractured ones, however exact the mask
    assert exact == pytest.approx((-natural, natural), abs=1e-9)
    own = compare_heights(heights, {level: np.full(3, 1.5)})[level].interval
    measured = 1.96 * 1.5 / heights[level].max()
    assert own[1] == pytest.approx(np.hypot(natural, measured), rel=0.2)
    around = dict.fromkeys((VertebraLevel.T8, VertebraLevel.T10), np.full(3, 1.5))
    both = compare_heights(heights, {level: np.full(3, 1.5), **around})[level].interval
    assert both[1] > 1.1 * own[1]
    heights[VertebraLevel.T8] = heights[VertebraLevel.T8] * 0.94
    disagreeing = compare_heights(heights)[level].interval
    width = 2 * 1.96 * np.hypot(0.05, 0.031)
    assert disagreeing[1] - disagreeing[0] == pytest.approx(width, rel=0.05)


def test_a_crossed_band_shows_as_a_range():
    heights = _normal()
    heights[VertebraLevel.T9] = heights[VertebraLevel.T9] * (0.78, 0.9, 1.0)
    found = compare_heights(heights, {VertebraLevel.T9: np.full(3, 0.5)})[VertebraLevel.T9]
    assert found.height_loss_class == 1
    assert found.class_range[0] == 0
    assert found.class_range[1] >= 2


def test_distant_references_count_less():
    levels = [VertebraLevel(name) for name in ("T8", "T9", "T12")]
    heights = _normal(levels)
    heights[VertebraLevel.T12] = heights[VertebraLevel.T12] * 1.10
    found = compare_heights(heights)[VertebraLevel.T9]
    assert found.loss == pytest.approx(1 - 1.1**-0.25, abs=1e-6)  # 1 level and 3 levels away


def test_cervical_levels_are_left_out():
    heights = _normal() | {VertebraLevel.C7: np.array([13.0, 12.0, 13.0])}
    assert set(compare_heights(heights)) == set(COLUMN)
    assert compare_heights({VertebraLevel.C7: np.ones(3)}) == {}


def test_levels_come_back_in_order():
    heights = dict(reversed(_normal().items()))
    assert list(compare_heights(heights)) == COLUMN


def test_twenty_percent_is_the_first_class():
    assert height_loss_class(FRACTURED_LOSS) == 1
