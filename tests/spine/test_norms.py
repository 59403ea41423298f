from __future__ import annotations

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.norms import SITE_DEPTHS, norm_heights_mm


def _walls(name: str) -> tuple[float, float]:
    """Extrapolate the norm from the sites back to the walls."""
    anterior, _, posterior = norm_heights_mm(VertebraLevel(name))
    slope = (posterior - anterior) / (SITE_DEPTHS[2] - SITE_DEPTHS[0])
    return anterior - SITE_DEPTHS[0] * slope, posterior + (1 - SITE_DEPTHS[2]) * slope


@pytest.mark.parametrize(
    ("name", "published"),
    [("T9", 0.920), ("T11", 0.91), ("T12", 0.91), ("L1", 0.88), ("L2", 0.91), ("L5", 1.152)],
)
def test_ratios_agree_with_samples_they_were_not_made_from(name, published):
    anterior, posterior = _walls(name)
    assert anterior / posterior == pytest.approx(published, abs=0.05)


def test_l1_by_hand():
    anterior, posterior = _walls("L1")
    assert posterior == pytest.approx(23.8)
    assert anterior == pytest.approx(23.8 - 34.1 * np.tan(np.radians((2.6 + 4.1) / 2)))


def test_heights_grow_smoothly_down_the_spine():
    names = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
    heights = np.array([norm_heights_mm(VertebraLevel(name)) for name in names])
    steps = np.diff(np.log(heights), axis=0)
    assert steps.max() < 0.12
    assert steps.min() > -0.05
    assert np.all(heights[-1] > heights[0])


def test_extra_levels_and_cervical_ones():
    t12, t13, l1 = (norm_heights_mm(VertebraLevel(name)) for name in ("T12", "T13", "L1"))
    np.testing.assert_allclose(t13, (t12 + l1) / 2)
    np.testing.assert_array_equal(
        norm_heights_mm(VertebraLevel.L6), norm_heights_mm(VertebraLevel.L5)
    )
    assert norm_heights_mm(VertebraLevel.C7) is None


def test_the_caller_can_not_change_the_table():
    norm_heights_mm(VertebraLevel.L1)[:] = 0
    assert norm_heights_mm(VertebraLevel.L1).min() > 20
