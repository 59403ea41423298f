from __future__ import annotations

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.course import folded, least_bent, off_course
from spinexplain.types import Vertebra

NAMES = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
LEVELS = [VertebraLevel(name) for name in NAMES]


def spine(scoliosis_mm: float = 0.0) -> np.ndarray:
    """Return centers (17, 3): kyphosis, lordosis and a sideways bow of this height."""
    s = np.linspace(0.0, 1.0, 17)
    z = 420.0 * (1 - s)
    return np.stack([scoliosis_mm * np.sin(2 * np.pi * s), -25 * np.sin(2 * np.pi * s), z], axis=-1)


def vertebrae(centers: np.ndarray, levels=LEVELS) -> list[Vertebra]:
    return [
        Vertebra(level, (float(x), float(y), float(z)))
        for level, (x, y, z) in zip(levels, centers, strict=True)
    ]


def names(levels) -> set[str]:
    return {level.value for level in levels}


@pytest.mark.parametrize("scoliosis_mm", [0.0, 12.0, 30.0])
@pytest.mark.parametrize("noise_mm", [0.0, 1.0, 2.0, 3.0])
def test_noise_of_right_centers_is_never_enough(scoliosis_mm, noise_mm):
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(6):
        noisy = vertebrae(spine(scoliosis_mm) + rng.normal(0.0, noise_mm, (17, 3)))
        wrong += len(off_course(noisy)) + len(folded(noisy))
    assert wrong <= (1 if noise_mm == 3.0 else 0)  # of 102


@pytest.mark.parametrize("noise_mm", [0.0, 2.0])
@pytest.mark.parametrize("at", [3, 8, 13])
def test_a_center_fifteen_or_more_millimeters_aside_is_off_the_course(at, noise_mm):
    rng = np.random.default_rng(at)
    centers = spine(12.0) + rng.normal(0.0, noise_mm, (17, 3))
    for aside in ([18.0, 0.0, 0.0], [0.0, -18.0, 0.0], [-14.0, 14.0, 0.0]):
        moved = centers.copy()
        moved[at] += aside
        assert names(off_course(vertebrae(moved))) == {NAMES[at]}


def test_only_the_end_itself_is_blamed_for_an_end_far_aside():
    centers = spine()
    centers[-1] += [40.0, 0.0, 0.0]
    assert names(off_course(vertebrae(centers))) == {"L5"}


def test_a_center_moved_along_the_spine_is_none_aside():
    centers = spine()
    centers[9, 2] -= 12.0  # above a collapsed body
    assert off_course(vertebrae(centers)) == set()


def test_a_missing_level_bends_no_course():
    kept = [i for i in range(17) if i not in (6, 7)]
    found = vertebrae(spine(12.0)[kept], [LEVELS[i] for i in kept])
    assert off_course(found) == set()


def test_few_centers_have_no_course():
    centers = np.array([[0.0, 0, 90], [40.0, 0, 60], [0.0, 0, 30], [0.0, 0, 0]])
    assert off_course(vertebrae(centers, LEVELS[:4])) == set()
    assert off_course([]) == set()
    assert folded([]) == set()
    assert folded(vertebrae(centers[:1], LEVELS[:1])) == set()


def test_one_center_far_aside_folds_the_sheets_within_56_mm():
    centers = spine()
    centers[8, 0] += 30.0
    found = names(folded(vertebrae(centers)))
    assert {"T8", "T9", "T10"} <= found
    assert not found & {"T1", "T2", "T3", "L4", "L5"}


@pytest.mark.parametrize(("radius_mm", "folds"), [(9.0, True), (40.0, False), (100.0, False)])
def test_a_bend_folds_where_its_radius_is_less_than_half_a_body(radius_mm, folds):
    """Straight down, a quarter turn, and on sideways."""
    turn = np.linspace(0.0, np.pi / 2 * 0.95, 4)
    arc = np.stack([radius_mm * (1 - np.cos(turn)), -radius_mm * np.sin(turn)], axis=-1)
    before = [[0.0, 48.0], [0.0, 32.0], [0.0, 16.0]]
    on = arc[-1] + np.outer([16.0, 32.0, 48.0], [np.sin(turn[-1]), -np.cos(turn[-1])])
    xz = np.concatenate([before, arc, on])
    centers = np.stack([xz[:, 0], 0 * xz[:, 0], xz[:, 1]], axis=-1)
    exact = vertebrae(centers, LEVELS[: len(centers)])
    assert bool(folded(exact)) == folds


def test_least_bent_stays_within_reach_and_keeps_the_ends():
    rng = np.random.default_rng(2)
    points = np.stack([rng.normal(0, 20, 12), np.linspace(300, 0, 12)], axis=-1)
    moved = least_bent(points, 6.0)
    assert np.linalg.norm(moved - points, axis=1).max() <= 6.0 + 1e-6
    np.testing.assert_array_equal(moved[[0, -1]], points[[0, -1]])
    np.testing.assert_array_equal(least_bent(points[:2], 6.0), points[:2])
